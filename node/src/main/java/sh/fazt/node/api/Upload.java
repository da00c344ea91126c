package sh.fazt.node.api;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/**
 * One zip as it was sent, and the fields beside it: a form after RFC 7578, or the zip alone. The zip is in a
 * temporary file, for its table of contents is at its end. Confined to its maker's thread.
 */
final class Upload implements AutoCloseable {
    private static final int MOST_FIELDS = 32;
    private static final int MOST_FIELD = 64 << 10;
    private static final int MOST_LINE = 8 << 10;
    private static final Pattern BOUNDARY = Pattern.compile("boundary=(?:\"([^\"]{1,70})\"|([^;\\s]{1,70}))");
    private static final Pattern NAME = Pattern.compile("[;\\s]name=(?:\"([^\"]*)\"|([^;\\s]+))");

    private final Path zip;
    private final Map<String, String> fields = new HashMap<>();
    private boolean hasFile;

    private Upload() throws IOException {
        zip = Files.createTempFile("fazt-bundle-", ".zip");
    }

    /** The zip is the body; the fields are the query. */
    static Upload ofZip(String query, InputStream body) throws IOException {
        Upload upload = new Upload();
        try {
            for (String pair : query.split("&")) {
                int equals = pair.indexOf('=');
                if (equals > 0) {
                    upload.fields.put(
                            pair.substring(0, equals),
                            URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
                }
            }
            try (OutputStream out = Files.newOutputStream(upload.zip)) {
                body.transferTo(out);
            }
            upload.hasFile = true;
            return upload;
        } catch (IllegalArgumentException e) {
            upload.close();
            throw invalid("the query has a % without two hex digits");
        } catch (IOException | RuntimeException e) {
            upload.close();
            throw e;
        }
    }

    /** A form: the part with the name {@code file} is the zip. */
    static Upload ofForm(String contentType, InputStream body) throws IOException {
        Matcher matcher = BOUNDARY.matcher(contentType);
        if (!matcher.find()) {
            throw invalid("the Content-Type names no boundary, so the form can't be read: " + contentType);
        }
        String boundary = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        Upload upload = new Upload();
        try {
            upload.readForm(new BufferedInputStream(body, 64 << 10), boundary);
            return upload;
        } catch (IOException | RuntimeException e) {
            upload.close();
            throw e;
        }
    }

    private void readForm(InputStream in, String boundary) throws IOException {
        byte[] delimiter = ("\r\n--" + boundary).getBytes(StandardCharsets.ISO_8859_1);
        // What stands before the first boundary says nothing; the body may begin with it, without a line before.
        if (!line(in).equals("--" + boundary)) {
            copyPart(in, delimiter, OutputStream.nullOutputStream(), MOST_FIELD);
            line(in);
        }
        for (int parts = 0; ; parts++) {
            if (parts > MOST_FIELDS) {
                throw invalid("the form has more than " + MOST_FIELDS + " parts");
            }
            String name = partName(in);
            if (name.equals("file")) {
                try (OutputStream out = Files.newOutputStream(zip)) {
                    copyPart(in, delimiter, out, Long.MAX_VALUE);
                }
                hasFile = true;
            } else {
                ByteArrayOutputStream text = new ByteArrayOutputStream();
                copyPart(in, delimiter, text, MOST_FIELD);
                fields.put(name, text.toString(StandardCharsets.UTF_8));
            }
            if (line(in).startsWith("--")) {
                return;
            }
        }
    }

    private static String partName(InputStream in) throws IOException {
        String name = "";
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            if (header.toLowerCase(Locale.ROOT).startsWith("content-disposition:")) {
                Matcher matcher = NAME.matcher(header);
                if (matcher.find()) {
                    name = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
                }
            }
        }
        return name;
    }

    /** Copies up to the delimiter and takes it, reading every byte once (Knuth, Morris, Pratt). */
    private static void copyPart(InputStream in, byte[] delimiter, OutputStream out, long most) throws IOException {
        int[] back = new int[delimiter.length];
        for (int i = 1, k = 0; i < delimiter.length; i++) {
            while (k > 0 && delimiter[i] != delimiter[k]) {
                k = back[k - 1];
            }
            back[i] = delimiter[i] == delimiter[k] ? ++k : k;
        }
        byte[] held = new byte[64 << 10];
        int filled = 0;
        int matched = 0;
        long size = 0;
        while (matched < delimiter.length) {
            int octet = in.read();
            if (octet < 0) {
                throw invalid("the form ends in the middle of a part: its last boundary is missing");
            }
            int before = matched;
            while (matched > 0 && delimiter[matched] != (byte) octet) {
                matched = back[matched - 1];
            }
            if (delimiter[matched] == (byte) octet) {
                matched++;
            }
            // What was held back as the beginning of a delimiter and is none is content after all.
            for (int i = 0; i < before + 1 - matched; i++) {
                held[filled++] = i < before ? delimiter[i] : (byte) octet;
                size++;
                if (filled == held.length) {
                    out.write(held, 0, filled);
                    filled = 0;
                }
            }
            if (size > most) {
                throw new Problem.Thrown(
                        Kind.TOO_LARGE, "PAYLOAD_TOO_LARGE", "a field of the form has more than " + most + " bytes");
            }
        }
        out.write(held, 0, filled);
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0) {
                throw invalid("the form ends in the middle of a line");
            }
            if (line.size() > MOST_LINE) {
                throw invalid("a line in the form's heads is longer than " + MOST_LINE + " bytes");
            }
            line.write(octet);
        }
        String text = line.toString(StandardCharsets.UTF_8);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    private static Problem.Thrown invalid(String message) {
        return new Problem.Thrown(Kind.INVALID, "BAD_REQUEST", message);
    }

    /** The app to deploy to; a host name that was given for it counts by its first label. */
    String appName() {
        String name = fields.getOrDefault("site_name", fields.getOrDefault("name", ""))
                .strip();
        if (name.isEmpty()) {
            throw new Problem.Thrown(
                    Kind.INVALID, "MISSING_FIELD", "Required field is missing: site_name (the app's name)");
        }
        int dot = name.indexOf('.');
        return dot < 0 ? name : name.substring(0, dot);
    }

    boolean flag(String field) {
        return fields.getOrDefault(field, "").equals("true");
    }

    Path zip() {
        if (!hasFile) {
            throw new Problem.Thrown(Kind.INVALID, "MISSING_FIELD", "Required field is missing: file (a zip)");
        }
        return zip;
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(zip);
    }
}
