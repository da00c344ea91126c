package sh.fazt.hosting.data;

import org.jspecify.annotations.Nullable;

/** Where the keys that share a prefix end, in the order of code points, which is SQLite's. Pure. */
final class KeyRange {
    private KeyRange() {}

    /** The first text after every text that starts with the prefix; null when there is none. */
    static @Nullable String end(String prefix) {
        String head = prefix;
        while (!head.isEmpty()) {
            int last = head.codePointBefore(head.length());
            head = head.substring(0, head.length() - Character.charCount(last));
            if (last < Character.MAX_CODE_POINT) {
                int next = last + 1;
                // Surrogates are no characters of their own.
                return head + Character.toString(next >= 0xd800 && next <= 0xdfff ? 0xe000 : next);
            }
        }
        return null;
    }
}
