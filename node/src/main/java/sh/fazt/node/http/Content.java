package sh.fazt.node.http;

/** What a reply sends, read slice by slice so that a large file is never in memory. Read on {@code api-N} threads. */
public interface Content {
    long length();

    /** So many bytes from there; never more than 256 KiB. */
    byte[] read(long from, int length);

    /** Content that is in memory. */
    static Content of(byte[] bytes) {
        return new Content() {
            @Override
            public long length() {
                return bytes.length;
            }

            @Override
            public byte[] read(long from, int length) {
                return from == 0 && length == bytes.length
                        ? bytes
                        : java.util.Arrays.copyOfRange(bytes, (int) from, (int) from + length);
            }
        };
    }
}
