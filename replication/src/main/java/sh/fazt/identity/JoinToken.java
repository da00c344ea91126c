package sh.fazt.identity;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import sh.fazt.identity.IdentityException.Reason;

/**
 * What one new node needs to join a swarm: whom to call, where, and a secret that the swarm knows by its token id.
 * The same bytes are a line of text ({@code fazt1-} and base32) and a list of words. Whoever has either may join
 * once, until the issuer's swarm says that it has expired. Immutable.
 */
public final class JoinToken {
    private static final int VERSION = 1;
    private static final int SECRET_BYTES = 16;
    private static final int ID_BYTES = 10;
    private static final int MAX_ADDRESSES = 8;
    /** Words for one or two IPv4 addresses come to 31 to 35. */
    private static final int MOST_BYTES_IN_WORDS = 1 + SECRET_BYTES + NodePin.BYTES + 12;

    private static final int MAX_TEXT = 4096;
    private static final Pattern SHAPE = Pattern.compile("fazt([0-9]{1,4})-([a-z0-9]+)");

    private final byte[] secret;
    private final NodePin issuer;
    private final List<String> addresses;

    private JoinToken(byte[] secret, NodePin issuer, List<String> addresses) {
        this.secret = secret;
        this.issuer = issuer;
        this.addresses = List.copyOf(addresses);
    }

    /**
     * A new token with a secret of its own.
     *
     * @param addresses where the issuer's swarm port is, {@code host:port}, the likeliest first; of more than eight
     *     the first
     */
    public static JoinToken mint(NodeId issuer, List<String> addresses, SecureRandom random) {
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("a join token carries an address at least");
        }
        addresses.forEach(PackedAddress::of);
        byte[] secret = new byte[SECRET_BYTES];
        random.nextBytes(secret);
        return new JoinToken(
                secret, NodePin.of(issuer), addresses.subList(0, Math.min(MAX_ADDRESSES, addresses.size())));
    }

    /** The same token for an issuer that was found elsewhere. */
    public JoinToken at(List<String> elsewhere) {
        elsewhere.forEach(PackedAddress::of);
        return new JoinToken(secret, issuer, elsewhere);
    }

    /**
     * Reads a token as people paste or type it: the text, or the words; white space and upper case don't matter,
     * nor do numbers and hyphens between words.
     *
     * @throws IdentityException {@code NOT_A_TOKEN}, {@code TOKEN_DAMAGED} or {@code TOKEN_NEWER}
     */
    public static JoinToken parse(String text) {
        String plain = text.replaceAll("\\s+", "").toLowerCase(Locale.ROOT);
        if (plain.length() <= MAX_TEXT && plain.matches("fazt[0-9]{1,4}-.*")) {
            return parseText(plain);
        }
        List<String> words = plain.length() > MAX_TEXT ? List.of() : Words.in(text);
        if (!Words.meant(words)) {
            throw new IdentityException(
                    Reason.NOT_A_TOKEN,
                    "this is not a join token: one starts with fazt1- and is what `fazt swarm token` prints, or the"
                            + " words of `fazt swarm token --words`");
        }
        return read(Words.read(words));
    }

    private static JoinToken parseText(String plain) {
        requireKnown(Integer.parseInt(plain.substring(4, plain.indexOf('-'))));
        Matcher shape = SHAPE.matcher(plain);
        if (!shape.matches()) {
            throw damaged("it has characters that no token has");
        }
        int[] digits = new int[shape.group(2).length()];
        for (int i = 0; i < digits.length; i++) {
            digits[i] = Base32.ALPHABET.indexOf(shape.group(2).charAt(i));
            if (digits[i] < 0) {
                throw damaged("after fazt1-, character " + (i + 1) + " is '"
                        + shape.group(2).charAt(i) + "', which no token has");
            }
        }
        byte[] bytes = Digits.bytes(digits, Base32.BITS);
        if (bytes == null) {
            throw damaged("its checksum does not match");
        }
        return read(bytes);
    }

    private static void requireKnown(int version) {
        if (version > VERSION) {
            throw new IdentityException(
                    Reason.TOKEN_NEWER,
                    "this join token is of format " + version + " and this fazt reads up to " + VERSION
                            + ": update fazt on this machine, then join again");
        }
        if (version < VERSION) {
            throw damaged("there is no format " + version);
        }
    }

    private static IdentityException damaged(String why) {
        return new IdentityException(
                Reason.TOKEN_DAMAGED,
                "this join token is damaged (" + why
                        + "): a character was lost or changed on the way. Copy the whole line again");
    }

    private static JoinToken read(byte[] bytes) {
        requireKnown(bytes[0] >>> 4 & 15);
        ByteArrayInputStream in = new ByteArrayInputStream(bytes);
        try {
            int count = in.read() & 15;
            byte[] secret = in.readNBytes(SECRET_BYTES);
            NodePin issuer = NodePin.of(in.readNBytes(NodePin.BYTES));
            List<String> addresses = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                addresses.add(PackedAddress.read(in));
            }
            // What fills up the last word: ten bits at most, which may be part of two bytes.
            byte[] rest = in.readAllBytes();
            if (addresses.isEmpty() || rest.length > 2 || !Arrays.equals(rest, new byte[rest.length])) {
                throw damaged("its parts don't fit");
            }
            return new JoinToken(secret, issuer, addresses);
        } catch (IOException | IllegalArgumentException e) {
            throw damaged("its parts don't fit");
        }
    }

    private byte[] bytes(List<String> carried) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(VERSION << 4 | carried.size());
        out.writeBytes(secret);
        out.writeBytes(issuer.bytes());
        carried.forEach(address -> out.writeBytes(PackedAddress.of(address)));
        return out.toByteArray();
    }

    /** The line that is handed to the new node. It is a secret: never logged. */
    public String text() {
        StringBuilder text = new StringBuilder("fazt" + VERSION + "-");
        for (int digit : Digits.of(bytes(addresses), Base32.BITS)) {
            text.append(Base32.ALPHABET.charAt(digit));
        }
        return text.toString();
    }

    /**
     * The same as words of the English BIP-39 list, for reading aloud; as secret as the text. To stay bearable they
     * carry the addresses that fit into 36 words, and one at least.
     */
    public List<String> words() {
        List<String> carried = new ArrayList<>();
        for (String address : addresses) {
            carried.add(address);
            if (bytes(carried).length > MOST_BYTES_IN_WORDS) {
                carried.remove(carried.size() - 1);
            }
        }
        if (carried.isEmpty()) {
            addresses.stream()
                    .min(Comparator.comparingInt(address -> PackedAddress.of(address).length))
                    .ifPresent(carried::add);
        }
        return Words.of(bytes(carried));
    }

    /** Names the token in lists and in the swarm's records: derived from the secret, and no secret. */
    public String tokenId() {
        byte[] named = Arrays.copyOf("fazt token id".getBytes(StandardCharsets.US_ASCII), 13 + SECRET_BYTES);
        System.arraycopy(secret, 0, named, 13, SECRET_BYTES);
        return Base32.encode(Arrays.copyOf(sha256(named), ID_BYTES));
    }

    /** A copy of the 128 bits that only the swarm and the holder know. */
    public byte[] secret() {
        return secret.clone();
    }

    /** The key that has to answer at the addresses. */
    public NodePin issuer() {
        return issuer;
    }

    /** {@code host:port} of the issuer, the likeliest first. */
    public List<String> addresses() {
        return addresses;
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

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "JoinToken[" + tokenId() + " of " + issuer.shortText() + " at " + addresses + "]";
    }
}
