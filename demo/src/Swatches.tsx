import { who } from "./Avatar.tsx";
import { colors } from "./identity.ts";

/** Chooses one's colour. */
export function Swatches({ color, onChoose }: { color: string; onChoose: (color: string) => void }) {
  return (
    <fieldset className="swatches">
      <legend className="sr">Your colour</legend>
      {colors.map(({ name, value }) => (
        <label key={value} title={name} style={who({ color: value })}>
          <input
            type="radio"
            name="color"
            aria-label={name}
            checked={value === color}
            onChange={() => onChoose(value)}
          />
        </label>
      ))}
    </fieldset>
  );
}
