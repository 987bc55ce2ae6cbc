import { useState } from "react";

import { ApiError } from "../../api/client";
import {
  type ConnectionFilter,
  type ListedConnection,
  useAttention,
  useConnections,
} from "../../api/connections";
import { useLanguage } from "../../words/language";
import { ActionButton } from "../ActionButton";
import { Problem } from "../Problem";
import { Scope } from "../Scope";
import { Skeleton } from "../Skeleton";
import { ConnectionRow } from "./ConnectionRow";

export interface CalendarConnectionsProps {
  /** The address of the host's page on which an instructor connects: an administrator sends it to them. */
  connectUrl: (instructorId: string) => string;
  /** The name by which the host's people know an instructor. Without it they are shown by their Google account. */
  instructorName?: (instructorId: string) => string | undefined;
}

type Filter = ConnectionFilter | "all";

/** For administrators: the connected calendars of their tenant, how each stands, and what they can do for it. */
export function CalendarConnections(props: CalendarConnectionsProps) {
  return (
    <Scope>
      <Connections {...props} />
    </Scope>
  );
}

function Connections(props: CalendarConnectionsProps) {
  const { connections: words } = useLanguage().words;
  const [filter, setFilter] = useState<Filter>("all");
  const [search, setSearch] = useState("");
  return (
    <section className="connections">
      <h2>{words.title}</h2>
      <div className="row toolbar">
        <input
          type="search"
          aria-label={words.search}
          placeholder={words.search}
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
        <label>
          {words.show}{" "}
          <select value={filter} onChange={({ target }) => setFilter(target.value as Filter)}>
            {Object.entries(words.filters).map(([name, text]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </div>
      {filter === "all" && <Attention onShow={() => setFilter("attention")} />}
      <List key={filter} filter={filter} search={search.trim()} {...props} />
    </section>
  );
}

/** That some need attention: on the first pages of a long list they may not be. */
function Attention({ onShow }: { onShow: () => void }) {
  const { connections: words } = useLanguage().words;
  const attention = useAttention();
  if (attention === undefined || attention.count === 0) return null;
  return (
    <p className="attention row">
      <span>{words.attention(attention.count, attention.more)}</span>
      <button type="button" className="plain" onClick={onShow}>
        {words.showThem}
      </button>
    </p>
  );
}

interface ListProps extends CalendarConnectionsProps {
  filter: Filter;
  search: string;
}

function List({ filter, search, ...props }: ListProps) {
  const { connections: words } = useLanguage().words;
  const list = useConnections(filter === "all" ? undefined : filter);
  const nameOf = (row: ListedConnection) => props.instructorName?.(row.instructorId);
  if (list.data === undefined) {
    if (list.error === null) return <Skeleton className="rows" lines={6} />;
    return <NotListed error={list.error} pending={list.isFetching} onAgain={() => void list.refetch()} />;
  }
  const loaded = list.data.pages.flatMap(({ connections }) => connections);
  const shown = loaded.filter((row) => matches(row, nameOf(row), search));
  return (
    <>
      <Problem error={list.error} />
      {shown.length > 0 && (
        <ul className="rows">
          {shown.map((row) => (
            <ConnectionRow
              key={row.connectionId}
              connection={row}
              name={nameOf(row)}
              connectUrl={props.connectUrl}
            />
          ))}
        </ul>
      )}
      {shown.length === 0 && <p className="empty">{emptiness(words, filter, loaded.length, search)}</p>}
      {list.hasNextPage ? (
        <ActionButton pending={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
          {list.isFetchingNextPage ? words.looking : words.more}
        </ActionButton>
      ) : (
        search === "" && loaded.length > 0 && <p className="empty end">{words.end(loaded.length)}</p>
      )}
    </>
  );
}

interface NotListedProps {
  error: Error;
  pending: boolean;
  onAgain: () => void;
}

/** To a caller who is no administrator the list does not exist. */
function NotListed({ error, pending, onAgain }: NotListedProps) {
  const { connections: words } = useLanguage().words;
  if (error instanceof ApiError && error.code === "not_found")
    return <p className="empty">{words.forAdministrators}</p>;
  return (
    <>
      <Problem error={error} />
      <ActionButton pending={pending} onPress={onAgain}>
        {words.again}
      </ActionButton>
    </>
  );
}

function emptiness(
  words: ReturnType<typeof useLanguage>["words"]["connections"],
  filter: Filter,
  loaded: number,
  search: string,
): string {
  if (loaded > 0) return words.noMatch(search);
  if (filter === "all") return words.none;
  return filter === "attention" ? words.allWell : words.noneOf;
}

/** Whether name, address or one of the ids has what was typed. */
function matches(row: ListedConnection, name: string | undefined, search: string): boolean {
  const texts = [name, row.googleAccount, row.calendarId, row.instructorId];
  return texts.some((text) => text?.toLocaleLowerCase().includes(search.toLocaleLowerCase()));
}
