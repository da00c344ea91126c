package sh.fazt.sim;

import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Links;
import sh.fazt.link.LinksContract;

/** The simulated network keeps the same contract as the real one, or simulations would prove nothing. */
final class SimLinksContractTest extends LinksContract {
    @Override
    protected Net net() {
        return new Simulated();
    }

    private static final class Simulated implements Net {
        private final SimWorld world = new SimWorld(1);
        private final List<Links> links =
                List.of(world.network().linksOf(world.node(0)), world.network().linksOf(world.node(1)));

        @Override
        public Links links(int node) {
            return links.get(node);
        }

        @Override
        public NodeId id(int node) {
            return world.node(node);
        }

        @Override
        public void start() {
            // Simulated links start as time passes.
        }

        @Override
        public void cut() {
            world.network().partition(List.of(world.node(0)), List.of(world.node(1)));
        }

        @Override
        public void heal() {
            world.network().heal();
        }

        @Override
        public void until(String what, Duration within, BooleanSupplier condition) {
            if (!world.runUntil(condition, within)) {
                throw new AssertionError(what + ": not within " + within + "\n" + world.traceText());
            }
        }

        @Override
        public void close() {
            links.forEach(Links::close);
        }
    }
}
