package sh.fazt.hosting.account;

import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import sh.fazt.hosting.HostingException;

/**
 * Slows guessing down: so many wrong passwords from one place, and so many from all places together, then it has to
 * wait. An attempt counts when it begins, so that many at once gain nothing. The bound of all places does not hold
 * for a place that the owner has logged in from, so that a stranger can't lock the owner out. Bounded: the oldest
 * places are forgotten first. Thread-safe by its own monitor, held for a look into a map.
 */
final class Attempts {
    static final int MOST_FROM_ONE_PLACE = 5;
    static final int MOST_FROM_ALL = 100;
    static final Duration FORGET = Duration.ofMinutes(15);
    private static final int MOST_PLACES = 1000;
    private static final String ALL = "*";

    private final InstantSource clock;
    private final Map<String, Window> windows = new LinkedHashMap<>();
    private final Map<String, Boolean> known = new LinkedHashMap<>();

    private record Window(int count, long sinceMillis) {}

    Attempts(InstantSource clock) {
        this.clock = clock;
    }

    /** Counts an attempt, or fails with {@code TOO_MANY_ATTEMPTS}. */
    synchronized void begin(String from) {
        String place = place(from);
        long now = clock.millis();
        check(place, MOST_FROM_ONE_PLACE, now);
        if (!known.containsKey(place)) {
            check(ALL, MOST_FROM_ALL, now);
        }
        count(place, now);
        count(ALL, now);
    }

    /** The attempt was right: the place is known from now on, and its mistakes are forgotten. */
    synchronized void succeeded(String from) {
        String place = place(from);
        Window mine = windows.remove(place);
        Window all = windows.get(ALL);
        if (mine != null && all != null) {
            windows.put(ALL, new Window(Math.max(0, all.count() - mine.count()), all.sinceMillis()));
        }
        known.put(place, true);
        forgetOldest(known);
    }

    private void check(String place, int most, long now) {
        Window window = windows.get(place);
        if (window == null) {
            return;
        }
        long left = window.sinceMillis() + FORGET.toMillis() - now;
        if (left <= 0) {
            windows.remove(place);
        } else if (window.count() >= most) {
            throw new HostingException(
                    HostingException.Reason.TOO_MANY_ATTEMPTS,
                    "too many wrong passwords" + (place.equals(ALL) ? "" : " from here") + ": try again in "
                            + ((left + 59_999) / 60_000) + " min");
        }
    }

    private void count(String place, long now) {
        Window before = windows.get(place);
        windows.put(place, before == null ? new Window(1, now) : new Window(before.count() + 1, before.sinceMillis()));
        forgetOldest(windows);
    }

    private static void forgetOldest(Map<String, ?> map) {
        if (map.size() > MOST_PLACES) {
            var places = map.keySet().iterator();
            if (places.next().equals(ALL)) {
                places.next();
            }
            places.remove();
        }
    }

    /** One home has many IPv6 addresses: the first four groups of one stand for all of them. */
    private static String place(String from) {
        String[] groups = from.split(":", -1);
        return groups.length == 8 ? String.join(":", groups[0], groups[1], groups[2], groups[3]) : from;
    }
}
