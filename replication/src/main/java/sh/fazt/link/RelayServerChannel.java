package sh.fazt.link;

import io.netty.channel.AbstractServerChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Where relayed streams that others opened come in. Confined to the loop. */
final class RelayServerChannel extends AbstractServerChannel {
    private final Relays relays;
    private final ChannelConfig config = new DefaultChannelConfig(this);
    private @Nullable SocketAddress local;
    private boolean open = true;

    RelayServerChannel(Relays relays) {
        this.relays = relays;
    }

    void accept(RelayLeg leg, Relayed from) {
        pipeline().fireChannelRead(new RelayChannel(this, relays, leg, from));
        pipeline().fireChannelReadComplete();
    }

    @Override
    protected void doBind(SocketAddress address) {
        local = address;
        relays.server(this);
    }

    @Override
    protected void doBeginRead() {
        // What comes is pushed.
    }

    @Override
    protected void doClose() {
        open = false;
        relays.server(null);
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected @Nullable SocketAddress localAddress0() {
        return local;
    }

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean isActive() {
        return open && local != null;
    }
}
