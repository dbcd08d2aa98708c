/**
 * Loads what needs a package that npm may have left out, or says what to install. `npx` may run a copresence of its own, from a
 * folder where it finds no package of the application: so copresence is among what is to be installed. [STORE-23]
 *
 * @param user what needs the package, for the error
 */
export async function withPackage<T>(name: string, user: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new Error(`${user} needs the package ${name} beside copresence: npm install copresence ${name}`, {
      cause: error,
    });
  }
}
