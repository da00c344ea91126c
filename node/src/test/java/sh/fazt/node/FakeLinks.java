package sh.fazt.node;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.link.LinkSettings;
import sh.fazt.node.api.LinkControl;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.error.Refusal;

/** One relayed link and one that is down; settings are checked as the real ones are. */
final class FakeLinks implements LinkControl {
    private LinkSettings settings = LinkSettings.NONE;

    private static Link link(String name, boolean up, @Nullable String linkClass, @Nullable Named via) {
        return new Link(
                new Named("node-" + name, name),
                up,
                linkClass,
                via,
                up ? "via node-b" : "192.0.2.7:5698",
                up,
                up ? Duration.ofNanos(2_340_000) : null,
                -3,
                1000,
                2000,
                10,
                20,
                up ? 1_250_000L : null,
                up ? null : 500L,
                up ? 0 : 2,
                up ? null : "192.0.2.7:5698: connection timed out");
    }

    @Override
    public Links links() {
        return new Links(
                List.of(link("phone", true, "relayed", new Named("node-b", "home")), link("laptop", false, null, null)),
                settings.entries().stream()
                        .map(entry -> new Setting(new Named(entry.of(), ""), entry.key(), entry.value()))
                        .toList(),
                new SwarmControl.HeldBack(3, 300_000));
    }

    @Override
    public CompletionStage<Outcome<Links>> set(String peer, String key, String value) {
        if (!peer.equals("default")) {
            return CompletableFuture.completedFuture(
                    new Outcome.Refused<>(Refusal.NOT_FOUND, "there is no member \"" + peer + "\""));
        }
        try {
            settings = settings.set(null, key, value);
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedFuture(
                    new Outcome.Refused<>(Refusal.INVALID, String.valueOf(e.getMessage())));
        }
        return CompletableFuture.completedFuture(new Outcome.Done<>(links()));
    }
}
