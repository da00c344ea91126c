package sh.fazt.hosting.site;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The path of a request, decoded once and made plain before anything is decided by it. Pure. */
public final class SitePath {
    private SitePath() {}

    /**
     * Decodes percent signs once, drops empty and {@code .} segments, resolves {@code ..} inside the root, and
     * writes letters in Unicode's form C, as bundles do. The answer starts with a slash, and ends with one where
     * the request did. Null when it is malformed, leaves the root, has a backslash or a control character, or
     * hides a slash behind a percent sign.
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
        byte[] octets = raw.getBytes(StandardCharsets.UTF_8);
        int length = 0;
        for (int i = 0; i < octets.length; i++) {
            byte octet = octets[i];
            if (octet == '%') {
                int high = i + 2 < octets.length ? Character.digit(octets[i + 1], 16) : -1;
                int low = i + 2 < octets.length ? Character.digit(octets[i + 2], 16) : -1;
                octet = (byte) (high << 4 | low);
                if (high < 0 || low < 0 || octet == '/' || octet == '\\') {
                    return null;
                }
                i += 2;
            }
            octets[length++] = octet;
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(octets, 0, length))
                    .toString();
            return allowed(text) ? Normalizer.normalize(text, Normalizer.Form.NFC) : null;
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
