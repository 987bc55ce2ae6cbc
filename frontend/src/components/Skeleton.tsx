/** Keeps the place of what is still to come: some lines, or with `className` one block. */
export function Skeleton({ lines = 1, className = "" }: { lines?: number; className?: string }) {
  return (
    <div className={`skeleton ${className}`} aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}
