/** The message of an error, if there is one. */
export function Problem({ error }: { error: Error | null }) {
  if (error === null) return null;
  return (
    <p role="alert" className="problem">
      {error.message}
    </p>
  );
}
