import type { ReactNode } from "react";

interface Props {
  /** The action is under way. */
  pending: boolean;
  disabled?: boolean;
  className?: string;
  /** What it is called where its text alone does not say what it acts on. It begins with that text. */
  label?: string;
  onPress: () => void;
  children: ReactNode;
}

/** A button that starts one action at a time. It keeps the focus meanwhile, which a disabled button would lose. */
export function ActionButton({ pending, disabled = false, className, label, onPress, children }: Props) {
  return (
    <button
      type="button"
      className={className}
      disabled={disabled}
      aria-label={label}
      aria-disabled={pending || undefined}
      onClick={() => {
        if (!pending) onPress();
      }}
    >
      {children}
    </button>
  );
}
