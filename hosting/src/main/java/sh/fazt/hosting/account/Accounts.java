package sh.fazt.hosting.account;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.HostingException;

/**
 * The owner's account, which every node of the swarm knows, and sessions, which only this node knows. A
 * password is kept as PBKDF2, a session by its hash. Thread-safe.
 */
public final class Accounts {
    /** What this room keeps. */
    public static final SchemaPart SCHEMA = new SchemaPart(
            "account",
            List.of("""
                    CREATE TABLE session (token TEXT PRIMARY KEY, name TEXT NOT NULL, expires_at INTEGER NOT NULL)
                        WITHOUT ROWID;
                    """),
            List.of(new ReplicatedTable(
                    "account",
                    Policy.REGISTER,
                    List.of(new Column("name", Type.TEXT)),
                    List.of(
                            new Column("role", Type.TEXT),
                            new Column("salt", Type.BYTES),
                            new Column("hash", Type.BYTES),
                            new Column("iterations", Type.INTEGER)))));

    /** The user name of the swarm's owner. */
    public static final String OWNER = "owner";

    /** How long a session lasts without a new login. */
    public static final Duration SESSION = Duration.ofDays(7);

    /** OWASP's figure for PBKDF2 with HMAC-SHA-256; about a quarter of a second on a small machine. */
    private static final int ITERATIONS = 600_000;

    private static final int MOST_FAILURES = 5;
    private static final Duration FORGET_FAILURES = Duration.ofMinutes(15);
    private static final int MOST_WATCHED = 1000;
    /** Letters and digits that are not taken for one another. */
    private static final String READABLE = "abcdefghjkmnpqrstuvwxyz23456789";

    private final Cartridge cartridge;
    private final InstantSource clock;
    private final SecureRandom random;
    private final Map<String, Failures> failures = new LinkedHashMap<>();

    private record Failures(int count, long firstMillis) {}

    public Accounts(Cartridge cartridge, InstantSource clock, SecureRandom random) {
        this.cartridge = cartridge;
        this.clock = clock;
        this.random = random;
    }

    /** Whether this node knows an owner. */
    public boolean hasOwner() {
        return cartridge.read(rows -> rows.first("SELECT 1 FROM account_live WHERE name = ?", row -> true, OWNER)
                .isPresent());
    }

    /** Makes the owner's account and answers its password, which is shown once and kept nowhere. */
    public String createOwner() {
        StringBuilder password = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            password.append(i > 0 && i % 5 == 0 ? "-" : "").append(READABLE.charAt(random.nextInt(READABLE.length())));
        }
        setPassword(OWNER, password.toString());
        return password.toString();
    }

    /** Gives an account another password and ends its sessions on this node. */
    public void setPassword(String name, String password) {
        byte[] salt = new byte[16];
        random.nextBytes(salt);
        byte[] hash = hash(password, salt, ITERATIONS);
        join(cartridge.write(Scope.SYSTEM, tx -> {
            tx.put(
                    "account",
                    List.of(name),
                    Map.of("role", "owner", "salt", salt, "hash", hash, "iterations", ITERATIONS));
            tx.execute("DELETE FROM session WHERE name = ?", name);
            return true;
        }));
    }

    /**
     * Opens a session and answers its token.
     *
     * @param from where the attempt comes from: five wrong passwords from there, and it has to wait
     * @throws HostingException {@code BAD_CREDENTIALS, TOO_MANY_ATTEMPTS}
     */
    public String login(String name, String password, String from) {
        checkAttempts(from);
        record Kept(byte[] salt, byte[] hash, int iterations) {}
        Optional<Kept> kept = cartridge.read(rows -> rows.first(
                "SELECT salt, hash, iterations FROM account_live WHERE name = ?",
                row -> new Kept(row.bytes(0), row.bytes(1), (int) row.integer(2)),
                name));
        // An unknown name takes as long as a wrong password.
        Kept compared = kept.orElseGet(() -> new Kept(new byte[16], new byte[32], ITERATIONS));
        boolean right = MessageDigest.isEqual(hash(password, compared.salt(), compared.iterations()), compared.hash());
        if (!right || kept.isEmpty()) {
            failed(from);
            throw new HostingException(HostingException.Reason.BAD_CREDENTIALS, "Invalid username or password");
        }
        synchronized (failures) {
            failures.remove(from);
        }
        byte[] token = new byte[32];
        random.nextBytes(token);
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(token);
        long now = clock.millis();
        join(cartridge.writeLocal(tx -> {
            tx.execute("DELETE FROM session WHERE expires_at <= ?", now);
            tx.execute("INSERT INTO session VALUES (?, ?, ?)", sha256(text), name, now + SESSION.toMillis());
            return true;
        }));
        return text;
    }

    /** Whose session it is; empty when it is none, or none any more. */
    public Optional<String> session(String token) {
        return cartridge.read(rows -> rows.first(
                "SELECT name FROM session WHERE token = ? AND expires_at > ?",
                row -> row.text(0),
                sha256(token),
                clock.millis()));
    }

    public void logout(String token) {
        join(cartridge.writeLocal(tx -> tx.execute("DELETE FROM session WHERE token = ?", sha256(token))));
    }

    private void checkAttempts(String from) {
        synchronized (failures) {
            Failures before = failures.get(from);
            if (before == null) {
                return;
            }
            long left = before.firstMillis() + FORGET_FAILURES.toMillis() - clock.millis();
            if (left <= 0) {
                failures.remove(from);
            } else if (before.count() >= MOST_FAILURES) {
                throw new HostingException(
                        HostingException.Reason.TOO_MANY_ATTEMPTS,
                        "too many wrong passwords from here: try again in " + (left / 60_000 + 1) + " min");
            }
        }
    }

    private void failed(String from) {
        synchronized (failures) {
            Failures before = failures.get(from);
            failures.put(
                    from,
                    before == null
                            ? new Failures(1, clock.millis())
                            : new Failures(before.count() + 1, before.firstMillis()));
            if (failures.size() > MOST_WATCHED) {
                failures.remove(failures.keySet().iterator().next());
            }
        }
    }

    private static byte[] hash(String password, byte[] salt, int iterations) {
        PBEKeySpec spec = new PBEKeySpec(password.toCharArray(), salt, iterations, 256);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has PBKDF2WithHmacSHA256", e);
        } finally {
            spec.clearPassword();
        }
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static <T> T join(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
