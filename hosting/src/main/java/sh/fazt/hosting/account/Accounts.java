package sh.fazt.hosting.account;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
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
 * password is kept as PBKDF2, a session by its hash and by the salt of the password that opened it: so a new
 * password, set on whatever node, ends the sessions of the old one on every node. Thread-safe; log-in costs a
 * good part of a second of one core.
 */
public final class Accounts {
    /** What this room keeps. */
    public static final SchemaPart SCHEMA = new SchemaPart(
            "account",
            List.of("CREATE TABLE session (token TEXT PRIMARY KEY) WITHOUT ROWID;", """
                    -- The first builds knew neither the salt nor when a session began: it ends with them.
                    DROP TABLE session;
                    CREATE TABLE session (token TEXT PRIMARY KEY, name TEXT NOT NULL, salt BLOB NOT NULL,
                        created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
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

    private static final int SHORTEST = 8;
    private static final int LONGEST = 256;

    /** More log-ins at once would take every core from the visitors. */
    private static final int MOST_AT_ONCE = 2;

    /** How far this node's clock may have gone back since a session was opened. */
    private static final Duration CLOCK_STEP = Duration.ofMinutes(5);

    /** Letters and digits that are not taken for one another. */
    private static final String READABLE = "abcdefghjkmnpqrstuvwxyz23456789";

    private final Cartridge cartridge;
    private final InstantSource clock;
    private final SecureRandom random;
    private final int iterations;
    private final Attempts attempts;
    private final Semaphore hashing = new Semaphore(MOST_AT_ONCE);

    public Accounts(Cartridge cartridge, InstantSource clock, SecureRandom random) {
        this(cartridge, clock, random, ITERATIONS);
    }

    /** @param iterations of new passwords; an account says how many its own took */
    public Accounts(Cartridge cartridge, InstantSource clock, SecureRandom random, int iterations) {
        this.iterations = iterations;
        this.cartridge = cartridge;
        this.clock = clock;
        this.random = random;
        this.attempts = new Attempts(clock);
    }

    /** Whether this node knows an owner. */
    public boolean hasOwner() {
        return cartridge.read(rows -> rows.first(
                        "SELECT 1 FROM account_live WHERE scope = ? AND name = ?",
                        row -> true,
                        Scope.SYSTEM.id(),
                        OWNER)
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

    /**
     * Gives an account another password, without asking for the old one, and ends its sessions on every node.
     *
     * @throws HostingException {@code INVALID} when it is too short or too long
     */
    public void setPassword(String name, String password) {
        if (password.length() < SHORTEST || password.length() > LONGEST) {
            throw new HostingException(
                    HostingException.Reason.INVALID,
                    "a password has " + SHORTEST + " to " + LONGEST + " characters, not " + password.length());
        }
        byte[] salt = new byte[16];
        random.nextBytes(salt);
        byte[] hash = hash(password, salt, iterations);
        join(cartridge.write(Scope.SYSTEM, tx -> {
            tx.put(
                    "account",
                    List.of(name),
                    Map.of("role", "owner", "salt", salt, "hash", hash, "iterations", iterations));
            tx.execute("DELETE FROM session WHERE name = ?", name);
            return true;
        }));
    }

    /**
     * Gives an account another password, when the old one is right, and ends its sessions on every node.
     *
     * @param from as for a log-in, which this is
     * @throws HostingException {@code INVALID, BAD_CREDENTIALS, TOO_MANY_ATTEMPTS}
     */
    public void changePassword(String name, String current, String next, String from) {
        check(name, current, from);
        setPassword(name, next);
    }

    /**
     * Opens a session and answers its token.
     *
     * @param from where the attempt comes from, an address: five wrong passwords from there, and it has to wait
     * @throws HostingException {@code BAD_CREDENTIALS, TOO_MANY_ATTEMPTS}
     */
    public String login(String name, String password, String from) {
        byte[] salt = check(name, password, from);
        byte[] token = new byte[32];
        random.nextBytes(token);
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(token);
        long now = clock.millis();
        join(cartridge.writeLocal(tx -> {
            tx.execute("DELETE FROM session WHERE expires_at <= ?", now);
            tx.execute(
                    "INSERT INTO session (token, name, salt, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                    sha256(text),
                    name,
                    salt,
                    now,
                    now + SESSION.toMillis());
            return true;
        }));
        return text;
    }

    /** Answers the account's salt when the password is right. */
    private byte[] check(String name, String password, String from) {
        if (!hashing.tryAcquire()) {
            throw new HostingException(
                    HostingException.Reason.TOO_MANY_ATTEMPTS,
                    "other log-ins are being checked at this moment: try again in a second");
        }
        try {
            attempts.begin(from);
            byte[] salt = checkNow(name, password);
            attempts.succeeded(from);
            return salt;
        } finally {
            hashing.release();
        }
    }

    private byte[] checkNow(String name, String password) {
        record Kept(byte[] salt, byte[] hash, int iterations) {}
        Optional<Kept> kept = cartridge.read(rows -> rows.first(
                """
                SELECT salt, hash, iterations FROM account_live
                WHERE scope = ? AND name = ? AND salt NOT NULL AND hash NOT NULL AND iterations BETWEEN 1 AND 10000000
                """, row -> new Kept(row.bytes(0), row.bytes(1), (int) row.integer(2)), Scope.SYSTEM.id(), name));
        // An unknown name takes as long as a wrong password.
        Kept compared = kept.orElseGet(() -> new Kept(new byte[16], new byte[32], iterations));
        String checked = password.length() > LONGEST ? "" : password;
        boolean right = MessageDigest.isEqual(hash(checked, compared.salt(), compared.iterations()), compared.hash());
        if (!right || kept.isEmpty()) {
            throw new HostingException(HostingException.Reason.BAD_CREDENTIALS, "Invalid username or password");
        }
        return compared.salt();
    }

    /** Whose session it is; empty when it is none, or none any more. */
    public Optional<String> session(String token) {
        long now = clock.millis();
        return cartridge.read(rows -> rows.first(
                """
                SELECT s.name FROM session s
                JOIN account_live a ON a.scope = ? AND a.name = s.name AND a.salt = s.salt
                WHERE s.token = ? AND s.expires_at > ? AND s.created_at <= ?
                """, row -> row.text(0), Scope.SYSTEM.id(), sha256(token), now, now + CLOCK_STEP.toMillis()));
    }

    public void logout(String token) {
        join(cartridge.writeLocal(tx -> tx.execute("DELETE FROM session WHERE token = ?", sha256(token))));
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
