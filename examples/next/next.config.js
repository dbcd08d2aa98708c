// the folder above has a lock file of its own: it is said here which of the two is the application's
export default { turbopack: { root: import.meta.dirname } };
