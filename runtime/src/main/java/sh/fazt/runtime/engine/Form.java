package sh.fazt.runtime.engine;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A submitted form. Immutable; contents of files are not copied.
 *
 * @param fields text fields by name, the first of each
 * @param files uploaded files in the order they came
 */
public record Form(Map<String, String> fields, List<Part> files) {
    /** One uploaded file. */
    @SuppressWarnings("ArrayRecordComponent") // a copy of each upload would cost too much
    public record Part(String field, String fileName, String type, byte[] content) {}

    private static final int MOST_PARTS = 1_000;
    private static final Pattern BOUNDARY = Pattern.compile("boundary=(?:\"([^\"]{1,200})\"|([^;\\s]{1,200}))");
    private static final Pattern NAME = Pattern.compile("(?:^|[;\\s])name=(?:\"([^\"]*)\"|([^;\\s]+))");
    private static final Pattern FILE_NAME = Pattern.compile("filename=(?:\"([^\"]*)\"|([^;\\s]+))");

    public Form {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
        files = List.copyOf(files);
    }

    /** Decodes {@code a=1&b=2} as WHATWG URL does; the first value of a name counts, bad escapes stay as they are. */
    public static Map<String, String> decode(String text) {
        if (text.isEmpty()) {
            return Map.of();
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (String pair : text.split("&", -1)) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                values.putIfAbsent(
                        unescape(equals < 0 ? pair : pair.substring(0, equals)),
                        equals < 0 ? "" : unescape(pair.substring(equals + 1)));
            }
        }
        return values;
    }

    private static String unescape(String text) {
        if (text.indexOf('%') < 0 && text.indexOf('+') < 0) {
            return text;
        }
        byte[] in = text.getBytes(StandardCharsets.UTF_8);
        byte[] out = new byte[in.length];
        int length = 0;
        for (int i = 0; i < in.length; i++) {
            int high = in[i] == '%' && i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
            int low = high >= 0 ? Character.digit(in[i + 2], 16) : -1;
            if (low >= 0) {
                out[length++] = (byte) (high * 16 + low);
                i += 2;
            } else {
                out[length++] = in[i] == '+' ? (byte) ' ' : in[i];
            }
        }
        return new String(out, 0, length, StandardCharsets.UTF_8);
    }

    /**
     * Reads {@code multipart/form-data} (RFC 7578).
     *
     * @throws IllegalArgumentException saying what is wrong with it
     */
    public static Form multipart(String contentType, byte[] body) {
        Matcher boundary = BOUNDARY.matcher(contentType);
        if (!boundary.find()) {
            throw new IllegalArgumentException("its Content-Type names no boundary");
        }
        byte[] mark = ("--" + first(boundary)).getBytes(StandardCharsets.ISO_8859_1);
        Map<String, String> fields = new LinkedHashMap<>();
        List<Part> files = new ArrayList<>();
        int at = find(body, mark, 0);
        int parts = 0;
        while (true) {
            if (at < 0) {
                throw new IllegalArgumentException("its closing boundary is missing");
            }
            at += mark.length;
            if (at + 1 < body.length && body[at] == '-' && body[at + 1] == '-') {
                return new Form(fields, files);
            }
            int headers = find(body, new byte[] {'\r', '\n'}, at);
            int blank = headers < 0 ? -1 : find(body, new byte[] {'\r', '\n', '\r', '\n'}, headers);
            int end = blank < 0 ? -1 : find(body, mark, blank + 2);
            if (end < 0 || end - 2 < blank + 2) {
                throw new IllegalArgumentException("part " + (parts + 1) + " is cut off");
            }
            if (++parts > MOST_PARTS) {
                throw new IllegalArgumentException("it has more than " + MOST_PARTS + " parts");
            }
            part(
                    new String(body, headers + 2, Math.max(0, blank - headers - 2), StandardCharsets.UTF_8),
                    java.util.Arrays.copyOfRange(body, Math.min(blank + 4, end - 2), end - 2),
                    fields,
                    files);
            at = end;
        }
    }

    private static void part(String headers, byte[] content, Map<String, String> fields, List<Part> files) {
        String disposition = "";
        String type = "";
        for (String line : headers.split("\r\n", -1)) {
            int colon = line.indexOf(':');
            String name = colon < 0 ? "" : line.substring(0, colon).strip().toLowerCase(Locale.ROOT);
            if (name.equals("content-disposition")) {
                disposition = line.substring(colon + 1);
            } else if (name.equals("content-type")) {
                type = line.substring(colon + 1).strip();
            }
        }
        Matcher name = NAME.matcher(disposition);
        if (!name.find()) {
            throw new IllegalArgumentException("a part has no name");
        }
        Matcher fileName = FILE_NAME.matcher(disposition);
        if (fileName.find()) {
            String kind = type.isEmpty() ? "application/octet-stream" : type;
            files.add(new Part(first(name), first(fileName), kind, content));
        } else {
            fields.putIfAbsent(first(name), new String(content, StandardCharsets.UTF_8));
        }
    }

    private static String first(Matcher matcher) {
        String quoted = matcher.group(1);
        return quoted == null ? matcher.group(2) : quoted;
    }

    private static int find(byte[] text, byte[] what, int from) {
        outer:
        for (int i = Math.max(0, from); i <= text.length - what.length; i++) {
            for (int j = 0; j < what.length; j++) {
                if (text[i + j] != what[j]) {
                    continue outer;
                }
            }
            return i;
        }
        return -1;
    }
}
