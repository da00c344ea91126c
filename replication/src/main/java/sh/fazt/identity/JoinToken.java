package sh.fazt.identity;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import sh.fazt.identity.IdentityException.Reason;

/**
 * What one new node needs to join a swarm, as one line of text: {@code fazt1-} and base32. Whoever has the
 * text may join once, until it expires. Immutable.
 */
public final class JoinToken {
    private static final int VERSION = 1;
    private static final int SECRET_BYTES = 20;
    private static final int ID_BYTES = 10;
    private static final int CHECKSUM_BYTES = 4;
    private static final int NODE_BYTES = 32;
    private static final int MAX_ADDRESSES = 16;
    private static final int MAX_TEXT = 4096;
    private static final Pattern SHAPE = Pattern.compile("fazt([0-9]{1,4})-([a-z0-9]+)");

    private final String swarmId;
    private final String tokenId;
    private final byte[] secret;
    private final NodeId issuer;
    private final List<String> addresses;
    private final long expiresAtSeconds;

    private JoinToken(
            String swarmId, String tokenId, byte[] secret, NodeId issuer, List<String> addresses, long expiresAt) {
        this.swarmId = swarmId;
        this.tokenId = tokenId;
        this.secret = secret;
        this.issuer = issuer;
        this.addresses = List.copyOf(addresses);
        this.expiresAtSeconds = expiresAt;
    }

    /**
     * A new token with a name and a secret of its own.
     *
     * @param addresses where the issuer's swarm port is, {@code host:port}, the likeliest first
     */
    public static JoinToken mint(
            String swarmId,
            NodeId issuer,
            List<String> addresses,
            Instant now,
            Duration validFor,
            SecureRandom random) {
        if (addresses.isEmpty() || addresses.size() > MAX_ADDRESSES) {
            throw new IllegalArgumentException(
                    "a join token carries 1 to " + MAX_ADDRESSES + " addresses, not " + addresses.size());
        }
        byte[] id = new byte[ID_BYTES];
        byte[] secret = new byte[SECRET_BYTES];
        random.nextBytes(id);
        random.nextBytes(secret);
        long expires = now.plus(validFor).getEpochSecond();
        return new JoinToken(swarmId, Base32.encode(id), secret, issuer, addresses, expires);
    }

    /**
     * Reads a token as people paste it: white space and upper case don't matter.
     *
     * @throws IdentityException {@code NOT_A_TOKEN}, {@code TOKEN_DAMAGED} or {@code TOKEN_NEWER}
     */
    public static JoinToken parse(String text) {
        String plain = text.replaceAll("\\s+", "").toLowerCase(Locale.ROOT);
        Matcher shape = SHAPE.matcher(plain);
        if (!plain.startsWith("fazt") || plain.length() > MAX_TEXT || !plain.matches("fazt[0-9]{1,4}-.*")) {
            throw new IdentityException(
                    Reason.NOT_A_TOKEN,
                    "this is not a join token: one starts with fazt1- and is what `fazt swarm token` prints");
        }
        int version = Integer.parseInt(plain.substring(4, plain.indexOf('-')));
        if (version > VERSION) {
            throw new IdentityException(
                    Reason.TOKEN_NEWER,
                    "this join token is of format " + version + " and this fazt reads up to " + VERSION
                            + ": update fazt on this machine, then join again");
        }
        if (version < VERSION) {
            throw damaged("there is no format " + version);
        }
        if (!shape.matches()) {
            throw damaged("it has characters that no token has");
        }
        byte[] all;
        try {
            all = Base32.decode(shape.group(2));
        } catch (IllegalArgumentException e) {
            throw damaged("after fazt1-, " + e.getMessage() + ", which no token has");
        }
        if (all.length <= CHECKSUM_BYTES || !Base32.encode(all).equals(shape.group(2))) {
            throw damaged("its length can't be right");
        }
        byte[] body = Arrays.copyOf(all, all.length - CHECKSUM_BYTES);
        if (!Arrays.equals(checksum(body), Arrays.copyOfRange(all, body.length, all.length))) {
            throw damaged("its checksum does not match");
        }
        return read(body);
    }

    private static IdentityException damaged(String why) {
        return new IdentityException(
                Reason.TOKEN_DAMAGED,
                "this join token is damaged (" + why
                        + "): a character was lost or changed on the way. Copy the whole line again");
    }

    private static JoinToken read(byte[] body) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(body))) {
            String swarm = in.readUTF();
            byte[] id = in.readNBytes(ID_BYTES);
            byte[] secret = in.readNBytes(SECRET_BYTES);
            NodeId issuer = NodeId.of(in.readNBytes(NODE_BYTES));
            long expires = in.readLong();
            String[] addresses = new String[in.readUnsignedByte()];
            for (int i = 0; i < addresses.length; i++) {
                addresses[i] = in.readUTF();
            }
            if (in.available() > 0 || addresses.length == 0) {
                throw damaged("its parts don't fit");
            }
            return new JoinToken(swarm, Base32.encode(id), secret, issuer, List.of(addresses), expires);
        } catch (IOException | IllegalArgumentException e) {
            throw damaged("its parts don't fit");
        }
    }

    /** The line that is handed to the new node. It is a secret: never logged. */
    public String text() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(swarmId);
            out.write(Base32.decode(tokenId));
            out.write(secret);
            out.write(issuer.bytes());
            out.writeLong(expiresAtSeconds);
            out.writeByte(addresses.size());
            for (String address : addresses) {
                out.writeUTF(address);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        bytes.writeBytes(checksum(bytes.toByteArray()));
        return "fazt" + VERSION + "-" + Base32.encode(bytes.toByteArray());
    }

    /** The swarm that it opens. */
    public String swarmId() {
        return swarmId;
    }

    /** Names the token in lists and in the swarm's records; no secret. */
    public String tokenId() {
        return tokenId;
    }

    /** A copy of the 160 bits that only the swarm and the holder know. */
    public byte[] secret() {
        return secret.clone();
    }

    /** The key that has to answer at the addresses. */
    public NodeId issuer() {
        return issuer;
    }

    /** {@code host:port} of the issuer, the likeliest first. */
    public List<String> addresses() {
        return addresses;
    }

    /** Wall time, in seconds since 1970, from which on the issuer refuses it. */
    public long expiresAtSeconds() {
        return expiresAtSeconds;
    }

    /**
     * HMAC-SHA256 under the secret over the parts, each with its length, so that no two lists of parts are
     * the same bytes.
     */
    public static byte[] proof(byte[] secret, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            for (byte[] part : parts) {
                mac.update(new byte[] {
                    (byte) (part.length >>> 24),
                    (byte) (part.length >>> 16),
                    (byte) (part.length >>> 8),
                    (byte) part.length
                });
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no HMAC-SHA256", e);
        }
    }

    private static byte[] checksum(byte[] body) {
        try {
            return Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(body), CHECKSUM_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "JoinToken[" + tokenId + " of swarm " + swarmId + " at " + addresses + "]";
    }
}
