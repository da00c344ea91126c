import { useCallback, useState } from "react";
import { type App, api } from "./api";
import { ago, bytes } from "./format";
import { useLive } from "./live";
import { Button, Card, Notice, quiet } from "./parts";

export function Apps({ apps, now }: { apps: App[]; now: number }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <Card title="Apps" aside={apps.length === 1 ? "1 app" : `${apps.length} apps`}>
      {apps.length === 0 && (
        <p className="px-5 py-8 text-center text-sm text-muted">
          No apps yet. Deploy a folder: <code className="font-mono">fazt app deploy DIR</code>
        </p>
      )}
      <ul>
        {apps.map((app) => (
          <li key={app.id} className="border-t border-line first:border-t-0" data-app={app.name}>
            <div className="flex flex-wrap items-center gap-x-6 gap-y-1 px-5 py-3">
              <a href={app.url} className="font-medium text-accent underline-offset-4 hover:underline">
                {app.name}
              </a>
              <span className="text-sm text-muted tabular-nums">
                {app.files} {app.files === 1 ? "file" : "files"}, {bytes(app.bytes)}
              </span>
              <span className="text-sm text-muted">updated {ago(app.updated_at, now)}</span>
              <Button
                className={`ml-auto ${quiet}`}
                aria-expanded={open === app.id}
                onClick={() => setOpen(open === app.id ? null : app.id)}
              >
                Releases
              </Button>
            </div>
            {open === app.id && <Releases app={app} now={now} />}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Releases({ app, now }: { app: App; now: number }) {
  const { data, error, reload } = useLive(
    useCallback(() => api.releases(app.id), [app.id]),
    10_000,
  );
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  async function activate(release: string) {
    setBusy(release);
    setProblem(null);
    try {
      await api.activate(app.id, release);
      reload();
    } catch (failed) {
      setProblem(failed instanceof Error ? failed.message : String(failed));
    } finally {
      setBusy(null);
    }
  }

  return (
    <div className="grid gap-2 bg-page px-5 py-3">
      {(problem ?? error) && <Notice tone="error">{problem ?? error?.message}</Notice>}
      <ul className="grid gap-1 text-sm">
        {data?.map((release) => (
          <li key={release.id} className="flex flex-wrap items-center gap-x-4 py-1" data-release={release.id}>
            <code className="font-mono text-xs">{release.id}</code>
            <span className="text-muted">{ago(release.created_at, now)}</span>
            <span className="text-muted">on {release.node}</span>
            <span className="text-muted tabular-nums">{bytes(release.bytes)}</span>
            {release.active ? (
              <strong className="ml-auto text-accent">active</strong>
            ) : (
              <Button className={`ml-auto ${quiet}`} busy={busy === release.id} onClick={() => activate(release.id)}>
                Activate
              </Button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
