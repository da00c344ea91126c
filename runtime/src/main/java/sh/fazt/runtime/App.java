package sh.fazt.runtime;

import java.util.Objects;

/**
 * What is to be run: one release of one app. Immutable. A new {@code releaseId} gets new realms; those of the old
 * release are dropped as soon as they are idle.
 *
 * @param id the app's id, {@code fazt_app_…}: names its data
 * @param name the name its owner gave it
 * @param releaseId names the content of {@code sources}
 * @param sources the files of the release
 */
public record App(String id, String name, String releaseId, SourceTree sources) {
    public App {
        Objects.requireNonNull(id);
        Objects.requireNonNull(name);
        Objects.requireNonNull(releaseId);
        Objects.requireNonNull(sources);
    }
}
