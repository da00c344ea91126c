package sh.fazt.node.site;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.sync.HeldBack;

/**
 * The files that a release is served without until a visitor asks: has them fetched, and waits so long as a visitor
 * would. Nobody's thread waits. Thread-safe.
 */
public final class Arrivals {
    private static final Logger LOG = LoggerFactory.getLogger(Arrivals.class);
    /** A megabyte over a poor link; what takes longer is here when the visitor comes again. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Blobs blobs;
    private final Source source;
    private final Executor api;

    /** Where a blob comes from that is not here. */
    public interface Source {
        /** Tells when it is here, or why it is not. Never blocks. */
        CompletionStage<HeldBack.Outcome> fetch(String blob, Duration patience);
    }

    /** Why a file can't be had now. */
    enum Refused {
        NOBODY,
        LATE,
        BUSY
    }

    /** @param api where visitors are answered */
    public Arrivals(Blobs blobs, Source source, Executor api) {
        this.blobs = blobs;
        this.source = source;
        this.api = api;
    }

    Blobs blobs() {
        return blobs;
    }

    /** Goes on with the whole blob: now when it is here, else on an {@code api} thread. One of the two is called. */
    void whenHere(String blob, Consumer<Blobs.Manifest> then, Consumer<Refused> refused) {
        Blobs.Manifest manifest = blobs.whole(blob).orElse(null);
        if (manifest != null) {
            then.accept(manifest);
            return;
        }
        source.fetch(blob, PATIENCE).whenComplete((outcome, failure) -> {
            try {
                api.execute(() -> {
                    try {
                        arrived(blob, outcome, then, refused);
                    } catch (RuntimeException e) {
                        LOG.error("a file that was fetched can't be sent blob={}", blob, e);
                        refused.accept(Refused.BUSY);
                    }
                });
            } catch (RejectedExecutionException busy) {
                refused.accept(Refused.BUSY);
            }
        });
    }

    private void arrived(
            String blob, HeldBack.Outcome outcome, Consumer<Blobs.Manifest> then, Consumer<Refused> refused) {
        if (outcome == HeldBack.Outcome.HERE) {
            then.accept(blobs.whole(blob).orElseThrow());
        } else {
            refused.accept(outcome == HeldBack.Outcome.LATE ? Refused.LATE : Refused.NOBODY);
        }
    }
}
