package sh.fazt.sync;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The blobs that {@link BlobCore} shall fetch, and what each is worth: over a link that is paid for by the byte comes
 * what is small, and what somebody waits for. Confined to its caller's monitor.
 */
final class Wishes {
    /** By hash, the urgent ones first. */
    private final Map<String, Wish> all = new LinkedHashMap<>();
    /** Sizes as peers say, where rows say nothing, or less. */
    private final Map<String, Long> sizes = new HashMap<>();

    /**
     * A blob that is not here and should be.
     *
     * @param size   in bytes, as rows say; -1 when they don't
     * @param urgent whether it is worth paying for, whatever its size
     */
    record Wish(String blob, long size, boolean urgent) {}

    void set(List<Wish> wishes) {
        all.clear();
        wishes.stream().filter(Wish::urgent).forEach(wish -> all.put(wish.blob(), wish));
        wishes.forEach(wish -> all.putIfAbsent(wish.blob(), wish));
        sizes.keySet().retainAll(all.keySet());
    }

    Collection<Wish> all() {
        return all.values();
    }

    Set<String> blobs() {
        return all.keySet();
    }

    void fulfilled(String blob) {
        all.remove(blob);
    }

    /** A peer said how large a blob is. */
    void told(String blob, long size) {
        if (all.containsKey(blob)) {
            sizes.merge(blob, size, Math::max);
        }
    }

    boolean isUrgent(String blob) {
        Wish wish = all.get(blob);
        return wish != null && wish.urgent();
    }

    /** Whether a blob may come from there. */
    boolean isWorth(String blob, BlobCore.@Nullable Holder holder) {
        Wish wish = all.get(blob);
        return holder != null && (!holder.metered() || wish != null && !isCostly(wish));
    }

    /** Whether nobody pays for it unasked. */
    boolean isCostly(Wish wish) {
        return !wish.urgent() && Math.max(wish.size(), sizes.getOrDefault(wish.blob(), -1L)) > HeldBack.UNASKED;
    }
}
