import { useRef, type InputHTMLAttributes } from "react";

/**
 * A field with text in it already, which is selected when the field gets the focus: the first key replaces it. A press
 * that gives the focus would put the caret into the text; a second press still does.
 */
export function NameField(props: InputHTMLAttributes<HTMLInputElement>) {
  const pressed = useRef(false);
  return (
    <input
      {...props}
      maxLength={40}
      onFocus={({ currentTarget }) => currentTarget.select()}
      onPointerDown={({ currentTarget }) => (pressed.current = document.activeElement !== currentTarget)}
      onClick={({ currentTarget }) => {
        const { selectionStart, selectionEnd } = currentTarget;
        if (pressed.current && selectionStart === selectionEnd) currentTarget.select();
        pressed.current = false;
      }}
    />
  );
}
