/**
 * Text that somebody chose, such as a name. It may be written from right to left: it then keeps its beginning where it is
 * cut short, and leaves the order of the words around it alone.
 */
export function Name({ children }: { children: string }) {
  return (
    <bdi className="name" dir="auto">
      {children}
    </bdi>
  );
}
