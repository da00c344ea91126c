package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import sh.fazt.blob.Blobs.Amount;
import sh.fazt.blob.Blobs.Unasked;
import sh.fazt.cartridge.change.Scope;

/**
 * Blobs that this node leaves with its peers until somebody asks for them: those of scopes that are placed here lazily,
 * and what is large, while every link is paid for by the byte. What only peers over such links have counts with them. Remembers what was asked for, and who waits.
 * Thread-safe: immutable snapshots, and a monitor for who waits; listeners are called outside it.
 */
public final class HeldBack {
    /** What is not larger comes over any link: most pages are. */
    public static final int UNASKED = 64 << 10;

    /** What was asked for is remembered for so long while nobody waits, so that it comes though it came too late. */
    private static final Duration REMEMBERED = Duration.ofMinutes(10);

    private static final int MOST_ASKED = 4096;

    private final BooleanSupplier pays;
    private final Holders holders;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final Map<String, Asked> asked = new LinkedHashMap<>();
    private volatile State state;

    /** What came of asking for a blob. */
    public enum Outcome {
        HERE,
        /** Nobody who is linked can give it now. */
        NOBODY,
        /** It is not here in time; it goes on. */
        LATE
    }

    /**
     * @param unasked what is fetched by itself
     * @param passed  of that, what only peers over links that are paid for may have
     */
    private record State(Unasked unasked, Set<String> passed, Amount amount) {}

    private record Waiter(long until, CompletableFuture<Outcome> outcome) {}

    private static final class Asked {
        final List<Waiter> waiters = new ArrayList<>();
        long forgetAt;
    }

    /**
     * @param pays whether this node's owner said that its links are paid for, which counts while none is up
     * @param holders says whose blobs are fetched on first use
     */
    HeldBack(BooleanSupplier pays, Holders holders) {
        this.pays = pays;
        this.holders = holders;
        this.state = new State(Unasked.ALL, Set.of(), new Amount(0, 0));
    }

    // ---- what is held back ----

    /** Whether a blob may lack here on purpose. */
    public boolean is(Scope scope, String blob, long size) {
        State now = state;
        return now.unasked().unless().contains(scope)
                || size > now.unasked().largest()
                || now.passed().contains(blob);
    }

    /** How many, and how many bytes as far as rows tell their sizes. */
    public Amount amount() {
        return state.amount();
    }

    /** Told, on any thread, that something else is held back than before; must hand over and return. */
    public void listen(Runnable listener) {
        listeners.add(listener);
    }

    /** What is fetched without being asked for. */
    Unasked unasked() {
        return state.unasked();
    }

    boolean isPassed(String blob) {
        return state.passed().contains(blob);
    }

    /** What follows from the links that are up. */
    Unasked look(List<BlobCore.Holder> near) {
        boolean before = state.unasked().largest() == UNASKED;
        boolean metered =
                near.isEmpty() ? before || pays.getAsBoolean() : near.stream().allMatch(BlobCore.Holder::metered);
        return new Unasked(holders.lazy(), metered ? UNASKED : Long.MAX_VALUE);
    }

    /** What holds until a link is up. */
    void begin() {
        set(look(List.of()), Set.of(), new Amount(0, 0));
    }

    void set(Unasked unasked, Set<String> passed, Amount amount) {
        State before = state;
        state = new State(unasked, Set.copyOf(passed), amount);
        if (!before.unasked().equals(unasked) || !before.passed().equals(passed)) {
            listeners.forEach(Runnable::run);
        }
    }

    // ---- what was asked for ----

    /** Remembers that a blob is waited for. */
    CompletionStage<Outcome> ask(String blob, long nanos, Duration patience) {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        synchronized (asked) {
            Asked one = asked.get(blob);
            if (one == null && asked.size() >= MOST_ASKED && !makeRoom()) {
                return CompletableFuture.completedFuture(Outcome.LATE);
            }
            one = asked.computeIfAbsent(blob, none -> new Asked());
            one.waiters.add(new Waiter(nanos + patience.toNanos(), outcome));
            one.forgetAt = nanos + patience.plus(REMEMBERED).toNanos();
        }
        return outcome;
    }

    private boolean makeRoom() {
        Iterator<Asked> all = asked.values().iterator();
        while (all.hasNext()) {
            if (all.next().waiters.isEmpty()) {
                all.remove();
                return true;
            }
        }
        return false;
    }

    /** What was asked for and has not come. */
    List<String> asked() {
        synchronized (asked) {
            return List.copyOf(asked.keySet());
        }
    }

    void here(String blob) {
        @Nullable Asked one;
        synchronized (asked) {
            one = asked.remove(blob);
        }
        if (one != null) {
            one.waiters.forEach(waiter -> waiter.outcome().complete(Outcome.HERE));
        }
    }

    /** Nobody can give it now. */
    void missed(String blob) {
        List<Waiter> told = new ArrayList<>();
        synchronized (asked) {
            Asked one = asked.get(blob);
            if (one != null) {
                move(one, told, waiter -> true);
            }
        }
        told.forEach(waiter -> waiter.outcome().complete(Outcome.NOBODY));
    }

    /** Time passed. Answers whether something is remembered no more. */
    boolean tick(long nanos) {
        List<Waiter> late = new ArrayList<>();
        boolean forgotten;
        synchronized (asked) {
            asked.values().forEach(one -> move(one, late, waiter -> nanos - waiter.until() >= 0));
            forgotten = asked.values().removeIf(one -> one.waiters.isEmpty() && nanos - one.forgetAt >= 0);
        }
        late.forEach(waiter -> waiter.outcome().complete(Outcome.LATE));
        return forgotten;
    }

    private static void move(Asked from, List<Waiter> to, Predicate<Waiter> which) {
        from.waiters.removeIf(waiter -> {
            boolean moved = which.test(waiter);
            if (moved) {
                to.add(waiter);
            }
            return moved;
        });
    }
}
