package sh.fazt.cli;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Finds what a user probably meant. Pure. */
final class Nearest {
    private Nearest() {}

    /** The candidate with the fewest edits (insert, delete, replace), if those are few; else null. */
    static @Nullable String to(String typed, Collection<String> candidates) {
        String best = null;
        // Two letters swapped are two edits; a short word has no room for that many.
        int fewest = typed.length() < 4 ? 2 : Math.max(2, typed.length() / 3) + 1;
        for (String candidate : candidates) {
            int edits = edits(typed, candidate);
            if (edits < fewest) {
                fewest = edits;
                best = candidate;
            }
        }
        return best;
    }

    private static int edits(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
