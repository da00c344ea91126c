package sh.fazt.hosting.site;

import org.jspecify.annotations.Nullable;

/** What a visitor's headers say about the copy it has and the form it takes. Allocates nothing. Pure. */
public final class Conditions {
    private Conditions() {}

    /**
     * Whether the visitor has this very thing, as If-None-Match says: {@code *}, or a list of entity tags, compared
     * weakly (RFC 9110 section 13.1.2). What is malformed matches nothing.
     *
     * @param etag with its quotes
     */
    public static boolean has(@Nullable String ifNoneMatch, String etag) {
        if (ifNoneMatch == null) {
            return false;
        }
        if (ifNoneMatch.equals(etag)) {
            return true;
        }
        int at = 0;
        int end = ifNoneMatch.length();
        while (at < end) {
            char c = ifNoneMatch.charAt(at);
            if (c == ' ' || c == '\t' || c == ',') {
                at++;
                continue;
            }
            if (c == '*') {
                return ifNoneMatch.strip().length() == 1;
            }
            if (ifNoneMatch.startsWith("W/", at)) {
                at += 2;
            }
            int close = at < end && ifNoneMatch.charAt(at) == '"' ? ifNoneMatch.indexOf('"', at + 1) : -1;
            if (close < 0) {
                return false;
            }
            if (close + 1 - at == etag.length() && ifNoneMatch.startsWith(etag, at)) {
                return true;
            }
            at = close + 1;
        }
        return false;
    }

    /**
     * Whether a range may be answered with a part: there is no If-Range, or it names this very thing. A date names
     * nothing here, since no date is sent; a weak tag does not promise the same bytes.
     */
    public static boolean rangeHolds(@Nullable String ifRange, String etag) {
        return ifRange == null || ifRange.equals(etag);
    }

    /** Whether Accept-Encoding lets gzip through: named, or meant by {@code *}, and not with {@code q=0}. */
    public static boolean gzip(@Nullable String acceptEncoding) {
        if (acceptEncoding == null) {
            return false;
        }
        boolean any = false;
        int from = 0;
        int end = acceptEncoding.length();
        while (from < end) {
            int comma = acceptEncoding.indexOf(',', from);
            int to = comma < 0 ? end : comma;
            while (from < to && acceptEncoding.charAt(from) == ' ') {
                from++;
            }
            int name = from;
            while (name < to && acceptEncoding.charAt(name) != ';' && acceptEncoding.charAt(name) != ' ') {
                name++;
            }
            if (named(acceptEncoding, from, name, "gzip") || named(acceptEncoding, from, name, "x-gzip")) {
                return wanted(acceptEncoding, name, to);
            }
            if (named(acceptEncoding, from, name, "*")) {
                any = wanted(acceptEncoding, name, to);
            }
            from = to + 1;
        }
        return any;
    }

    private static boolean named(String text, int from, int to, String name) {
        return to - from == name.length() && text.regionMatches(true, from, name, 0, name.length());
    }

    /** Whether the weight between two places is none or more than 0. */
    private static boolean wanted(String text, int from, int to) {
        for (int i = from; i + 1 < to; i++) {
            if ((text.charAt(i) | 0x20) == 'q' && text.charAt(i + 1) == '=') {
                for (int digit = i + 2; digit < to; digit++) {
                    char c = text.charAt(digit);
                    if (c >= '1' && c <= '9') {
                        return true;
                    }
                    if (c != '0' && c != '.') {
                        break;
                    }
                }
                return false;
            }
        }
        return true;
    }
}
