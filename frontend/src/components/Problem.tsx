import { ApiError } from "../api/client";

/** The message of an error, if there is one. */
export function Problem({ error }: { error: Error | null }) {
  if (error === null) return null;
  return (
    <div role="alert" className="problem">
      <p>{error.message}</p>
      {error instanceof ApiError && error.details.length > 0 && (
        <ul>
          {error.details.map(({ field, message }) => (
            <li key={field}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
