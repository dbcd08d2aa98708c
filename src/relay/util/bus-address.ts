/** Throws a `RangeError` for an address that names no bus. It may hold a password, so it stands in no error. */
export function checkBusAddress(address: string, label: string): void {
  if (!/^rediss?:\/\/./.test(address)) throw new RangeError(`${label} must be redis://HOST:PORT or rediss://HOST:PORT`);
}
