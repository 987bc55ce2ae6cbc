import { ApiError } from "../api/client";
import { useLanguage } from "../words/language";
import { useOnline } from "./useOnline";

/** The message of an error, if there is one. */
export function Problem({ error }: { error: Error | null }) {
  const { errors } = useLanguage().words;
  const online = useOnline();
  if (error === null) return null;
  // The status says that the browser is offline; each error below it would say the same.
  if (!online && error instanceof ApiError && error.code === "unreachable") return null;
  const message = (error instanceof ApiError && errors[error.code]) || error.message;
  return (
    <div role="alert" className="problem">
      <p>{message}</p>
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
