import { useEffect, useState } from "react";
import { api } from "./api";
import { Apps } from "./Apps";
import { Conflicts } from "./Conflicts";
import { useLive } from "./live";
import { Nodes } from "./Nodes";
import { Button, Notice, quiet } from "./parts";

export function Dashboard({ onLogout }: { onLogout: () => void }) {
  const swarm = useLive(api.swarm, 2_000);
  const apps = useLive(api.apps, 10_000);
  const [now, setNow] = useState(() => Date.now());

  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);

  const error = swarm.error ?? apps.error;
  const loggedOut = error?.status === 401;
  useEffect(() => {
    if (loggedOut) onLogout();
  }, [loggedOut, onLogout]);

  return (
    <div className="mx-auto grid max-w-5xl grid-cols-1 gap-6 px-4 py-6">
      <header className="flex flex-wrap items-center gap-3">
        <img src="/icon.svg" alt="" className="size-9" />
        <div>
          <h1 className="text-xl leading-tight font-semibold">{swarm.data?.swarm.name ?? "fazt"}</h1>
          <p className="text-sm text-muted">{swarm.data ? `seen from ${swarm.data.self.name}` : "loading…"}</p>
        </div>
        {swarm.data && swarm.data.conflicts > 0 && (
          <a href="#conflicts" className="ml-auto text-sm text-accent underline-offset-4 hover:underline">
            {swarm.data.conflicts === 1 ? "1 conflict" : `${swarm.data.conflicts} conflicts`}
          </a>
        )}
        <Button
          className={`${swarm.data && swarm.data.conflicts > 0 ? "" : "ml-auto"} ${quiet}`}
          onClick={async () => {
            await api.logout().catch(() => undefined);
            onLogout();
          }}
        >
          Log out
        </Button>
      </header>
      {error && !loggedOut && <Notice tone="error">{error.message}</Notice>}
      <main className="grid grid-cols-1 gap-6">
        {swarm.data && <Nodes status={swarm.data} />}
        {apps.data && <Apps apps={apps.data} now={now} />}
        {apps.data && <Conflicts apps={apps.data} now={now} />}
      </main>
    </div>
  );
}
