import { type FormEvent, useState } from "react";
import { api } from "./api";
import { Button, Notice } from "./parts";

export function Login({ onLogin }: { onLogin: () => void }) {
  const [username, setUsername] = useState("owner");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await api.login(username, password);
      onLogin();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  const field =
    "w-full rounded-lg border border-line bg-page px-3 py-2 focus-visible:outline-2 focus-visible:outline-accent";
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <form onSubmit={submit} className="grid w-full max-w-sm gap-4 rounded-xl border border-line bg-panel p-6 shadow-sm">
        <div className="flex items-center gap-3">
          <img src="/icon.svg" alt="" className="size-9" />
          <h1 className="text-xl font-semibold">Log in to your node</h1>
        </div>
        <label className="grid gap-1 text-sm">
          User name
          <input className={field} value={username} autoComplete="username" required onChange={(e) => setUsername(e.target.value)} />
        </label>
        <label className="grid gap-1 text-sm">
          Password
          <input
            className={field}
            type="password"
            value={password}
            autoComplete="current-password"
            autoFocus
            required
            onChange={(e) => setPassword(e.target.value)}
          />
        </label>
        {problem && <Notice tone="error">{problem}</Notice>}
        <Button type="submit" busy={busy}>
          {busy ? "Logging in…" : "Log in"}
        </Button>
        <p className="text-sm text-muted">The first start of the node printed the owner’s password.</p>
      </form>
    </main>
  );
}
