package sh.fazt.swarm;

/** Ids as text. Pure. */
final class NodeText {
    private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

    private NodeText() {}

    /** Lower-case base32; the bytes are a multiple of five. */
    static String base32(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        int bits = 0;
        int buffer = 0;
        for (byte b : bytes) {
            buffer = buffer << 8 | b & 0xff;
            bits += 8;
            while (bits >= 5) {
                bits -= 5;
                text.append(ALPHABET.charAt(buffer >>> bits & 31));
            }
        }
        return text.toString();
    }
}
