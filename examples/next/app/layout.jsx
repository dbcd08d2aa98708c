import "./page.css";

export const metadata = { title: "copresence: Next.js" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <main>{children}</main>
      </body>
    </html>
  );
}
