/** Where this file is. The build replaces it in the CommonJS package, which cannot say it so. */
// @ts-ignore -- in CommonJS it is an error, which the build mends
export const here: string = import.meta.url;
