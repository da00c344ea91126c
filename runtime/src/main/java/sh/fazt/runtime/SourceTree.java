package sh.fazt.runtime;

import java.util.Collection;
import java.util.Optional;

/**
 * The files of one release as the runtime sees them. Paths are those of the bundle, with {@code /} and without a
 * leading one: {@code api/main.js}. The content behind one {@link App#releaseId()} never changes.
 *
 * <p>Implementations are thread-safe; they are read on {@code js-N} threads and on the caller's thread of
 * {@link Runtime#check}, so they may read a file but must not wait for another node.
 */
public interface SourceTree {
    /** The only file that answers requests. */
    String ENTRY = "api/main.js";

    /** Every path below {@code api/}, in any order; other paths may be left out. */
    Collection<String> paths();

    /** The text of a file decoded as UTF-8, or empty when there is no such file. */
    Optional<String> text(String path);
}
