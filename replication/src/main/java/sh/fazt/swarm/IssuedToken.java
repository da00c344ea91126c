package sh.fazt.swarm;

import java.time.Instant;
import sh.fazt.identity.JoinToken;

/** A join token, and from when on the swarm refuses it. Immutable. */
public record IssuedToken(JoinToken token, Instant expiresAt) {}
