package sh.fazt.hosting.site;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.hosting.route.Route;

/** What a release has to say to a path. Pure. */
public final class Site {
    /**
     * A name that a build has put the content's hash into: {@code main-abc123.js}. Six or more letters and digits,
     * both among them. Sizes, as in {@code banner-1200x630.png}, are no hashes. A hash that is not recognised costs
     * a question every five minutes; a plain name that is taken for one could not be updated for a year.
     */
    private static final Pattern HASHED_NAME =
            Pattern.compile(".*[-.](?!\\d+x\\d+\\.|\\d+px\\.)(?=\\w*\\d)(?=\\w*[A-Za-z])\\w{6,}\\.[a-z0-9]+");

    private Site() {}

    /** What to answer. */
    public sealed interface Answer {
        /**
         * A file.
         *
         * @param status 200, or 404 for the app's own not-found page
         */
        record File(
                int status,
                String path,
                String sha256,
                long size,
                String type,
                String cacheControl,
                boolean compressible)
                implements Answer {
            /** The strong validator: the content's own hash. */
            public String etag() {
                return "\"" + sha256 + "\"";
            }
        }

        /** The same place under its right name; the query goes with it. */
        record Redirect(String path) implements Answer {}

        /** There is nothing, and the app has no page that says so. */
        record Nothing() implements Answer {}
    }

    /** Answers for a canonical path, see {@link SitePath}. */
    public static Answer find(Route route, String path) {
        String name = path.substring(1);
        if (hidden(name)) {
            return nothing(route);
        }
        if (name.isEmpty() || name.endsWith("/")) {
            Answer index = file(route, name + "index.html", 200);
            if (index != null) {
                return index;
            }
            String plain = name.isEmpty() ? "" : name.substring(0, name.length() - 1);
            return route.files().containsKey(plain) || route.files().containsKey(plain + ".html")
                    ? new Answer.Redirect("/" + plain)
                    : missing(route, plain);
        }
        Answer exact = file(route, name, 200);
        if (exact != null) {
            return exact;
        }
        if (route.files().containsKey(name + "/index.html")) {
            return new Answer.Redirect(path + "/");
        }
        Answer clean = file(route, name + ".html", 200);
        return clean != null ? clean : missing(route, name);
    }

    /** Server-side code and what the owner keeps private is never served as files, nor are hidden files. */
    private static boolean hidden(String name) {
        if (name.equals("api") || name.startsWith("api/") || name.equals("private") || name.startsWith("private/")) {
            return true;
        }
        for (String segment : name.split("/")) {
            if (segment.startsWith(".") && !segment.equals(".well-known")) {
                return true;
            }
        }
        return false;
    }

    private static Answer missing(Route route, String name) {
        if (route.spa() && ContentTypes.extension(name).isEmpty()) {
            Answer index = file(route, "index.html", 200);
            if (index != null) {
                return index;
            }
        }
        return nothing(route);
    }

    private static Answer nothing(Route route) {
        Answer own = file(route, "404.html", 404);
        return own != null ? own : new Answer.Nothing();
    }

    private static @Nullable Answer file(Route route, String name, int status) {
        Manifest.File file = route.files().get(name);
        if (file == null) {
            return null;
        }
        String type = ContentTypes.of(name);
        return new Answer.File(
                status,
                name,
                file.sha256(),
                file.size(),
                type,
                cacheControl(name, type),
                ContentTypes.compressible(type));
    }

    /** Pages are asked for each time; assets whose names carry a hash never again; the rest for five minutes. */
    private static String cacheControl(String name, String type) {
        if (type.startsWith("text/html")) {
            return "no-cache";
        }
        return name.startsWith("assets/") && HASHED_NAME.matcher(name).matches()
                ? "public, max-age=31536000, immutable"
                : "public, max-age=300";
    }
}
