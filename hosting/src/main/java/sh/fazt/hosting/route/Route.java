package sh.fazt.hosting.route;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.release.Manifest;

/**
 * What answers for a host: one app and the release of it that this node serves. Immutable; the same object
 * for as long as neither changes, so caches may hang on its identity.
 *
 * @param release null when no release is whole here yet
 * @param files   path to file of that release
 * @param spa     whether unknown paths lead to {@code index.html}
 */
public record Route(String app, String name, @Nullable String release, Map<String, Manifest.File> files, boolean spa) {
    public Route {
        files = Map.copyOf(files);
    }

    /** The program that answers {@code /api/*}, if there is one. */
    public static final String MAIN = "api/main.js";

    public boolean hasFunction() {
        return files.containsKey(MAIN);
    }
}
