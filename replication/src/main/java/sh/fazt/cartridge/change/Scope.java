package sh.fazt.cartridge.change;

/**
 * The unit of replication: one app, or {@link #SYSTEM}. A transaction touches one scope; a version vector
 * belongs to one scope. Immutable.
 *
 * @param id 1 to 64 of {@code a-z 0-9 _ -}: an app's id, or {@code system}
 */
public record Scope(String id) implements Comparable<Scope> {
    /** What belongs to the swarm's owner rather than to one app. */
    public static final Scope SYSTEM = new Scope("system");

    public Scope {
        if (!valid(id)) {
            throw new IllegalArgumentException("a scope is 1 to 64 of a-z 0-9 _ -, not \"" + id + "\"");
        }
    }

    private static boolean valid(String id) {
        if (id.isEmpty() || id.length() > 64) {
            return false;
        }
        for (int i = 0; i < id.length(); i++) {
            char c = id.charAt(i);
            if (!(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-')) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int compareTo(Scope other) {
        return id.compareTo(other.id);
    }

    @Override
    public String toString() {
        return id;
    }
}
