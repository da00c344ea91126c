import { useCallback, useEffect, useRef, useState } from "react";
import { type App, api, type Compared, type Conflict, type Version } from "./api";
import { ago, columns, nodeName, subject, text } from "./format";
import { useLive } from "./live";
import { Button, Card, Notice, quiet } from "./parts";

const PAGE = 20;
/** The most that the node lists at once. */
const MOST = 1_000;

/** What lost when two nodes wrote the same unknowingly: to look at, bring back, or let go. */
export function Conflicts({ apps, now }: { apps: App[]; now: number }) {
  const [limit, setLimit] = useState(PAGE);
  const { data, error, reload } = useLive(
    useCallback(() => api.conflicts(limit), [limit]),
    10_000,
  );
  const [open, setOpen] = useState<string | null>(null);
  const [busy, setBusy] = useState<"restore" | "dismiss" | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const status = useRef<HTMLParagraphElement>(null);

  const app = (conflict: Conflict) => {
    const about = conflict.scope === "system" ? String(conflict.key[0]) : conflict.scope;
    return conflict.app === "system" || !conflict.app ? (apps.find((one) => one.id === about)?.name ?? about) : conflict.app;
  };

  function toggle(id: string) {
    setOpen(open === id ? null : id);
    setProblem(null);
    setSaid("");
  }

  async function settle(conflict: Conflict, how: "restore" | "dismiss") {
    setBusy(how);
    setProblem(null);
    const name = `${subject(conflict)} of ${app(conflict)}`;
    try {
      if (how === "restore") {
        const { written, overwritten } = await api.restore(conflict.id);
        setSaid(
          !written
            ? `${name} said so already; nothing was written.`
            : `Restored ${name}.${overwritten ? " What it said before is kept as a conflict." : ""}`,
        );
      } else {
        await api.dismiss(conflict.id);
        setSaid(`Dismissed ${name} on every node. “fazt swarm conflicts restore ${conflict.id}” still brings it back.`);
      }
      setOpen(null);
      // The button that had the focus goes; whoever uses the keyboard goes on from here.
      status.current?.focus();
      reload();
    } catch (failed) {
      setProblem(failed instanceof Error ? failed.message : String(failed));
    } finally {
      setBusy(null);
    }
  }

  const gone = open !== null && busy === null && data !== null && !data.conflicts.some((one) => one.id === open);
  useEffect(() => {
    if (gone) {
      setOpen(null);
      setSaid("What was open here is settled: somebody restored or dismissed it meanwhile, here or on another node.");
    }
  }, [gone]);

  const more = data && data.total > data.conflicts.length;
  return (
    <Card id="conflicts" title="Conflicts" aside={data && data.total > 0 ? `${data.total} open` : undefined}>
      {error && error.status !== 401 && (
        <div className="px-5 pt-3">
          <Notice tone="error">{error.message}</Notice>
        </div>
      )}
      <p ref={status} role="status" tabIndex={-1} className={said ? "px-5 pt-3 text-sm outline-none" : "sr-only"}>
        {said}
      </p>
      {data?.total === 0 && (
        <p className="px-5 py-8 text-center text-sm text-muted">
          No conflicts: nobody wrote over a change that they had not seen.
        </p>
      )}
      <ul>
        {data?.conflicts.map((conflict) => (
          <li key={conflict.id} className="border-t border-line first:border-t-0" data-conflict={conflict.id}>
            <div className="flex flex-wrap items-center gap-x-6 gap-y-1 px-5 py-3">
              <span className="min-w-0 font-medium wrap-anywhere">
                {subject(conflict)} <span className="font-normal text-muted">in {app(conflict)}</span>
              </span>
              <span className="text-sm text-muted">
                written on {nodeName(conflict.by)} {ago(conflict.at, now)}, lost to {nodeName(conflict.winner_by)}
              </span>
              <Button
                className={`ml-auto ${quiet}`}
                aria-expanded={open === conflict.id}
                aria-label={`Compare ${subject(conflict)}`}
                onClick={() => toggle(conflict.id)}
              >
                Compare
              </Button>
            </div>
            {open === conflict.id && (
              <Comparison conflict={conflict} now={now} busy={busy} problem={problem} onSettle={settle} />
            )}
          </li>
        ))}
      </ul>
      {more && (
        <div className="border-t border-line px-5 py-3 text-sm text-muted">
          {limit < MOST ? (
            <Button className={quiet} onClick={() => setLimit(Math.min(MOST, limit * 2))}>
              Show more of {data.total}
            </Button>
          ) : (
            <>The newest {MOST} are shown; “fazt swarm conflicts” lists them all.</>
          )}
        </div>
      )}
    </Card>
  );
}

function Comparison({
  conflict,
  now,
  busy,
  problem,
  onSettle,
}: {
  conflict: Conflict;
  now: number;
  busy: "restore" | "dismiss" | null;
  problem: string | null;
  onSettle: (conflict: Conflict, how: "restore" | "dismiss") => void;
}) {
  const { data, error } = useLive<Compared>(
    useCallback(() => api.conflict(conflict.id), [conflict.id]),
    10_000,
  );
  if (!data) {
    return <div className="bg-page px-5 py-3 text-sm">{error ? <Notice tone="error">{error.message}</Notice> : "loading…"}</div>;
  }
  const names = columns(data, data.present);
  const differs = (name: string) => text(data.values[name]) !== text(data.present?.values[name]);
  return (
    <div className="grid gap-3 bg-page px-5 py-3">
      {(problem ?? error) && <Notice tone="error">{problem ?? error?.message}</Notice>}
      <div className="grid gap-3 sm:grid-cols-2">
        <Side title="Now" version={data.present} names={names} differs={differs} now={now} />
        <Side title="Lost" version={data} names={names} differs={differs} now={now} />
      </div>
      <div className="flex flex-wrap gap-2">
        <Button busy={busy !== null} onClick={() => onSettle(conflict, "restore")}>
          {busy === "restore" ? "Restoring…" : "Restore what was lost"}
        </Button>
        <Button className={quiet} busy={busy !== null} onClick={() => onSettle(conflict, "dismiss")}>
          {busy === "dismiss" ? "Dismissing…" : "Keep it as it is now"}
        </Button>
      </div>
    </div>
  );
}

function Side({
  title,
  version,
  names,
  differs,
  now,
}: {
  title: string;
  version: Version | null;
  names: string[];
  differs: (name: string) => boolean;
  now: number;
}) {
  return (
    <section className="min-w-0 rounded-lg border border-line bg-panel text-sm" data-side={title}>
      <h3 className="border-b border-line px-3 py-2">
        <strong className="font-semibold">{title}</strong>
        {version && (
          <span className="text-muted">
            {" "}
            by {nodeName(version.by)}, <time dateTime={version.at}>{ago(version.at, now)}</time>
          </span>
        )}
      </h3>
      {version === null ? (
        <p className="px-3 py-2 text-muted">There is no such row on this node.</p>
      ) : version.deleted ? (
        <p className="px-3 py-2 text-muted">Deleted.</p>
      ) : (
        <dl className="grid gap-2 px-3 py-2">
          {names.map((name) => (
            <div key={name} className={differs(name) ? "border-l-2 border-accent pl-2" : "pl-2.5"}>
              <dt className="text-xs text-muted">{name}</dt>
              <dd className={`max-h-64 overflow-auto font-mono text-xs whitespace-pre-wrap wrap-anywhere ${differs(name) ? "" : "text-muted"}`}>
                {text(version.values[name], name)}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
