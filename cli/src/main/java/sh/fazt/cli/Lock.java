package sh.fazt.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Runs a command while this process holds a lease: takes it, renews it, and ends the command when it is lost. Confined to
 * main, but for renewals, each on a thread of its own as the node may not answer, and the end of the process.
 */
final class Lock {
    /** Somebody else held it for as long as we waited; as timeout(1) has it. */
    private static final int HELD = 124;
    /** It was lost while the command ran. */
    private static final int LOST = 125;
    /** The command can't be run; as shells have it. */
    private static final int NOT_RUN = 126;

    private static final int NOT_FOUND = 127;
    /** "error=2," until Java 24, "error: 2 " since. */
    private static final Pattern NO_SUCH_FILE = Pattern.compile("error(=|: )2[, ]");
    /** The node's conflict: somebody else has it. */
    private static final int CONFLICT = 409;
    /** A node without a quorum says so after five seconds. */
    private static final Duration ANSWER = Duration.ofSeconds(8);

    private static final Duration AGAIN = Duration.ofSeconds(1);
    private static final InstantSource DATE = InstantSource.system();

    private final Path cartridge;
    private final String name;
    private final List<String> command;
    private final Duration ttl;
    private final Duration wait;
    private final Terminal terminal;
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile @Nullable Hold hold;
    private @Nullable Process running;
    private @Nullable Guard guard;
    private boolean stopping;

    Lock(Path cartridge, String name, List<String> command, Duration ttl, Duration wait, Terminal terminal) {
        this.cartridge = cartridge;
        this.name = name;
        this.command = command;
        this.ttl = ttl;
        this.wait = wait;
        this.terminal = terminal;
    }

    /** Answers the command's exit code. */
    int run() throws InterruptedException {
        Hold taken = take();
        Runtime.getRuntime().addShutdownHook(new Thread(this::stopped, "stopped"));
        Process process;
        try {
            process = begin(taken);
        } catch (IOException e) {
            over();
            String why = String.valueOf(e.getMessage());
            throw Failure.ended(
                    NO_SUCH_FILE.matcher(why).find() ? NOT_FOUND : NOT_RUN, "can't run the command: " + why);
        }
        try {
            return watch(process, taken);
        } finally {
            over();
        }
    }

    /** The command has ended: nothing is left to guard, and the lease is free for the next. */
    private void over() {
        Guard guarding;
        synchronized (this) {
            guarding = guard;
        }
        if (guarding != null) {
            guarding.close();
        }
        release();
    }

    private synchronized Process begin(Hold taken) throws IOException {
        if (stopping) {
            throw new IOException("fazt itself is told to end");
        }
        Guard guarding = Guard.start(name);
        guard = guarding;
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().put("FAZT_LEASE_TOKEN", Long.toString(taken.token()));
        Process process = builder.start();
        running = process;
        try {
            guarding.begin(process, taken.grace());
        } catch (IOException e) {
            process.destroyForcibly();
            throw e;
        }
        return process;
    }

    /** Takes the lease, waiting while somebody else holds it or nothing can be agreed. */
    private Hold take() {
        String program = String.valueOf(Path.of(command.get(0)).getFileName());
        String holder = (program.length() > 60 ? program.substring(0, 60) : program) + "-"
                + ProcessHandle.current().pid() + "-"
                + Long.toString(ThreadLocalRandom.current().nextLong(1L << 30), 36);
        long begin = System.nanoTime();
        boolean told = false;
        while (true) {
            long nanos = System.nanoTime();
            long millis = DATE.millis();
            try {
                Object data = NodeClient.of(cartridge)
                        .send(
                                "POST",
                                "/api/swarm/leases",
                                Map.of("name", name, "ttl_seconds", ttl.toSeconds(), "holder", holder),
                                ANSWER);
                Hold taken = new Hold(Long.parseLong(Json.text(data, "token")), ttl, nanos, millis);
                hold = taken;
                if (age(taken).compareTo(taken.warning()) >= 0) {
                    release();
                    throw Failure.failed("the node took so long to give lease " + name
                            + " that little of it is left: look what keeps it, or ask for a longer --ttl");
                }
                return taken;
            } catch (Failure failure) {
                boolean held = failure.status() == CONFLICT;
                if (!held && failure.status() < 500) {
                    throw failure;
                }
                if (System.nanoTime() - begin >= wait.toNanos()) {
                    throw held ? Failure.ended(HELD, String.valueOf(failure.getMessage())) : failure;
                }
                if (!told) {
                    told = true;
                    terminal.say("fazt: waiting: " + failure.getMessage());
                }
                // Not in step with others that wait.
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(300_000_000, 700_000_000));
            }
        }
    }

    private Hold renew(Hold held) {
        long nanos = System.nanoTime();
        long millis = DATE.millis();
        NodeClient.of(cartridge)
                .send(
                        "PUT",
                        "/api/swarm/leases/" + Segment.encode(name),
                        Map.of("token", held.token(), "ttl_seconds", ttl.toSeconds()),
                        ANSWER);
        return held.renewed(nanos, millis);
    }

    private static Duration age(Hold held) {
        return held.age(System.nanoTime(), DATE.millis());
    }

    private int watch(Process process, Hold taken) throws InterruptedException {
        CompletableFuture<Hold> renewing = null;
        String why = "no renewal was answered";
        Hold held = taken;
        Duration next = held.renewal();
        while (!process.waitFor(100, TimeUnit.MILLISECONDS)) {
            if (renewing != null && renewing.isDone()) {
                try {
                    held = renewing.join();
                    hold = held;
                    next = held.renewal();
                } catch (CompletionException e) {
                    if (!(e.getCause() instanceof Failure failure)) {
                        throw e;
                    }
                    why = String.valueOf(failure.getMessage());
                    if (failure.status() == CONFLICT) {
                        throw lost(process, held, why);
                    }
                    next = age(held).plus(AGAIN);
                }
                renewing = null;
            }
            if (age(held).compareTo(held.warning()) >= 0) {
                throw lost(process, held, "it was not renewed in time: " + why);
            }
            if (renewing == null && age(held).compareTo(next) >= 0) {
                Hold before = held;
                renewing = CompletableFuture.supplyAsync(() -> renew(before), task -> {
                    Thread thread = new Thread(task, "renewal");
                    thread.setDaemon(true);
                    thread.start();
                });
            }
        }
        return process.exitValue();
    }

    private Failure lost(Process process, Hold held, String why) {
        over.set(true);
        terminal.say("fazt: lease " + name + " is lost, and the command is told to end: " + why);
        boolean killed = end(process, held);
        return Failure.ended(
                LOST,
                "lease " + name + " (token " + held.token() + ") was lost while the command ran, which "
                        + (killed ? "did not end when it was told to and was killed" : "was told to end and did"));
    }

    /** Tells the command and all that it started to end, and sees to it; answers whether something had to be killed. */
    private static boolean end(Process process, Hold held) {
        Set<ProcessHandle> all = new LinkedHashSet<>(process.descendants().toList());
        all.add(process.toHandle());
        all.forEach(ProcessHandle::destroy);
        Duration last = held.graceEnd(age(held));
        while (all.stream().anyMatch(ProcessHandle::isAlive) && age(held).compareTo(last) < 0) {
            LockSupport.parkNanos(20_000_000);
        }
        process.descendants().forEach(all::add);
        List<ProcessHandle> left = all.stream().filter(ProcessHandle::isAlive).toList();
        left.forEach(ProcessHandle::destroyForcibly);
        return !left.isEmpty();
    }

    /** This process is told to end: so is the command, and the lease is free for the next. */
    private void stopped() {
        Process process;
        synchronized (this) {
            stopping = true;
            process = running;
        }
        Hold held = hold;
        if (held != null && process != null && process.isAlive()) {
            end(process, held);
        }
        over();
    }

    private void release() {
        Hold held = hold;
        if (held == null || !over.compareAndSet(false, true)) {
            return;
        }
        try {
            NodeClient.of(cartridge)
                    .send(
                            "DELETE",
                            "/api/swarm/leases/" + Segment.encode(name) + "?token=" + held.token(),
                            null,
                            ANSWER);
        } catch (Failure failure) {
            terminal.say("fazt: lease " + name + " could not be released and runs out by itself within "
                    + ttl.toSeconds() + " s: " + failure.getMessage());
        }
    }
}
