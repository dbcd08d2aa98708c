import { People } from "./People.jsx";

// a server component: only what is below `People` runs in the browser
export default function Page() {
  return (
    <>
      <h1>Who is here</h1>
      <People room="next" />
    </>
  );
}
