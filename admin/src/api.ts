export interface Named {
  id: string;
  name: string;
}

export interface Member extends Named {
  role: string;
  state: "alive" | "suspect" | "dead" | "left" | "away" | string;
  address: string;
  rtt_ms: number | null;
  /** How long ago something came from it; null for this node itself, and when nothing ever did. */
  last_heard_ms: number | null;
  behind: { changes: number; bytes: number } | null;
  /** Why it can’t be linked before somebody sees to it; empty when there is nothing of the kind. */
  problem: string;
  /** Null for this node itself. */
  sync: { offences: number; floods: number } | null;
}

export interface SwarmStatus {
  swarm: Named;
  self: Named;
  leader: Named | null;
  quorum: boolean;
  members: Member[];
  conflicts: number;
  /** What is weak about the swarm as it is; empty when nothing is. */
  warning: string;
}

export interface App extends Named {
  release: string | null;
  files: number;
  bytes: number;
  updated_at: string;
  url: string;
}

export interface Release {
  id: string;
  node: string;
  created_at: string;
  files: number;
  bytes: number;
  active: boolean;
}

/** What a row said, by whom and since when. */
export interface Version {
  /** The name is empty once it is no member any more. */
  by: Named;
  at: string;
  deleted: boolean;
  values: Record<string, unknown>;
}

/** What lost when two nodes wrote the same unknowingly. */
export interface Conflict extends Version {
  id: string;
  scope: string;
  /** Its name; empty when it is gone. */
  app: string;
  /** With a slash and the field’s name where a document’s field lost. */
  table: string;
  key: unknown[];
  winner_by: Named;
}

/** A conflict beside what its row says now: null where there is none. */
export interface Compared extends Conflict {
  settled: boolean;
  present: Version | null;
}

/** What the node answered instead of data. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    throw new ApiError(0, "UNREACHABLE", "This node does not answer. Is it running?");
  }
  const document = await answer.json().catch(() => null);
  if (!answer.ok) {
    const error = document?.error;
    throw new ApiError(
      answer.status,
      error?.code ?? "UNKNOWN",
      error?.message ?? (typeof error === "string" ? error : `The node answered ${answer.status}.`),
    );
  }
  return document?.data as T;
}

export const api = {
  authenticated: () => call<{ authenticated: boolean }>("GET", "/api/auth/status").then((s) => s.authenticated),
  login: (username: string, password: string) => call<unknown>("POST", "/api/login", { username, password }),
  logout: () => call<unknown>("POST", "/api/logout", {}),
  swarm: () => call<SwarmStatus>("GET", "/api/swarm/status"),
  apps: () => call<{ apps: App[] }>("GET", "/api/apps").then((d) => d.apps),
  releases: (app: string) =>
    call<{ releases: Release[] }>("GET", `/api/apps/${encodeURIComponent(app)}/releases`).then((d) => d.releases),
  activate: (app: string, release: string) =>
    call<unknown>("POST", `/api/apps/${encodeURIComponent(app)}/activate`, { release }),
  conflicts: (limit: number) =>
    call<{ total: number; conflicts: Conflict[] }>("GET", `/api/swarm/conflicts?limit=${limit}`),
  conflict: (id: string) => call<Compared>("GET", `/api/swarm/conflicts/${encodeURIComponent(id)}`),
  restore: (id: string) =>
    call<{ written: boolean; overwritten: Conflict | null }>(
      "POST",
      `/api/swarm/conflicts/${encodeURIComponent(id)}/restore`,
      {},
    ),
  dismiss: (id: string) =>
    call<{ dismissed: boolean }>("POST", `/api/swarm/conflicts/${encodeURIComponent(id)}/dismiss`, {}),
};
