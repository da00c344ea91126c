package sh.fazt.hosting.site;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The path of a request, decoded once and made plain before anything is decided by it. Pure. */
public final class SitePath {
    private SitePath() {}

    /**
     * Decodes percent signs once, drops empty and {@code .} segments, resolves {@code ..} inside the root. The
     * answer starts with a slash, and ends with one where the request did. Null when it is malformed, leaves
     * the root, or hides a slash, a backslash or a control character behind a percent sign.
     */
    public static @Nullable String canonical(String raw) {
        String decoded = decode(raw);
        if (decoded == null || !decoded.startsWith("/")) {
            return null;
        }
        Deque<String> segments = new ArrayDeque<>();
        String[] parts = decoded.split("/", -1);
        for (String part : parts) {
            if (part.equals("..")) {
                if (segments.pollLast() == null) {
                    return null;
                }
            } else if (!part.isEmpty() && !part.equals(".")) {
                segments.addLast(part);
            }
        }
        if (segments.isEmpty()) {
            return "/";
        }
        String last = parts[parts.length - 1];
        boolean directory = last.isEmpty() || last.equals(".") || last.equals("..");
        return "/" + String.join("/", segments) + (directory ? "/" : "");
    }

    private static @Nullable String decode(String raw) {
        if (raw.indexOf('%') < 0) {
            return allowed(raw) ? raw : null;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                if (i + 2 >= raw.length()) {
                    return null;
                }
                int high = Character.digit(raw.charAt(i + 1), 16);
                int low = Character.digit(raw.charAt(i + 2), 16);
                int octet = high << 4 | low;
                if (high < 0 || low < 0 || octet == '/' || octet == '\\') {
                    return null;
                }
                out.write(octet);
                i += 2;
            } else if (c < 0x80) {
                out.write(c);
            } else {
                return null;
            }
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(out.toByteArray()))
                    .toString();
            return allowed(text) ? text : null;
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static boolean allowed(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x20 || c == 0x7f || c == '\\') {
                return false;
            }
        }
        return true;
    }
}
