import { useCallback, useEffect, useState } from "react";
import { api } from "./api";
import { Dashboard } from "./Dashboard";
import { Login } from "./Login";

/** The login until there is a session, then the dashboard. */
export function Page() {
  const [session, setSession] = useState<"unknown" | "none" | "open">("unknown");

  useEffect(() => {
    api.authenticated().then(
      (open) => setSession(open ? "open" : "none"),
      () => setSession("none"),
    );
  }, []);

  const onLogin = useCallback(() => setSession("open"), []);
  const onLogout = useCallback(() => setSession("none"), []);
  if (session === "unknown") return null;
  return session === "open" ? <Dashboard onLogout={onLogout} /> : <Login onLogin={onLogin} />;
}
