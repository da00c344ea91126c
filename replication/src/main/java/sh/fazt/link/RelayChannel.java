package sh.fazt.link;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * A relayed stream as a Netty channel, so that TLS, HTTP/2 and gRPC run over it unchanged. What the far end
 * has no credit for stays in the channel's outbound buffer, which makes HTTP/2 share what passes among its
 * streams: bulk can't delay a heartbeat here either. Confined to the loop.
 */
final class RelayChannel extends AbstractChannel implements RelayLeg.End {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    private final Relays relays;
    private final Config config = new Config(this);
    private final ArrayDeque<ByteBuf> arrived = new ArrayDeque<>();
    private @Nullable RelayLeg leg;
    private @Nullable Relayed remote;
    private @Nullable ChannelPromise connecting;
    private boolean open = true;
    private boolean active;
    private boolean wanted;
    private boolean delivering;

    /** One that will be connected to a {@link Relayed}. */
    RelayChannel(Relays relays) {
        super(null);
        this.relays = relays;
    }

    /** One that came in. */
    RelayChannel(Channel parent, Relays relays, RelayLeg leg, Relayed remote) {
        super(parent);
        this.relays = relays;
        this.leg = leg;
        this.remote = remote;
        this.active = true;
        leg.end(this);
    }

    // ---- from the relay lane ----

    @Override
    public void accepted() {
        ChannelPromise promise = connecting;
        if (promise == null || !open) {
            return;
        }
        connecting = null;
        active = true;
        if (promise.trySuccess()) {
            pipeline().fireChannelActive();
        } else {
            unsafe().close(voidPromise());
        }
    }

    @Override
    public void data(ByteString bytes) {
        if (open) {
            arrived.add(Unpooled.wrappedBuffer(bytes.toByteArray()));
            deliver();
        }
    }

    @Override
    public void credited(int bytes) {
        // The leg counts it, and room() follows.
    }

    @Override
    public void room() {
        if (open && active) {
            ((RelayUnsafe) unsafe()).go();
        }
    }

    @Override
    public void ended(String why) {
        ChannelPromise promise = connecting;
        connecting = null;
        if (promise != null) {
            promise.tryFailure(new ConnectException(why));
        }
        leg = null;
        if (isRegistered()) {
            unsafe().close(voidPromise());
        }
    }

    private void deliver() {
        RelayLeg from = leg;
        if (delivering || !active) {
            return;
        }
        delivering = true;
        try {
            while (wanted && !arrived.isEmpty()) {
                wanted = false;
                int taken = 0;
                ByteBuf next;
                while ((next = arrived.poll()) != null) {
                    taken += next.readableBytes();
                    pipeline().fireChannelRead(next);
                }
                pipeline().fireChannelReadComplete();
                if (from != null) {
                    from.consumed(taken);
                }
            }
        } finally {
            delivering = false;
        }
    }

    // ---- Netty ----

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new RelayUnsafe();
    }

    private final class RelayUnsafe extends AbstractUnsafe {
        @Override
        public void connect(SocketAddress to, @Nullable SocketAddress from, ChannelPromise promise) {
            if (!promise.setUncancellable() || !ensureOpen(promise)) {
                return;
            }
            remote = (Relayed) to;
            connecting = promise;
            try {
                RelayLeg opened = relays.open(remote);
                leg = opened;
                opened.end(RelayChannel.this);
            } catch (IOException e) {
                connecting = null;
                promise.tryFailure(e);
                closeIfClosed();
            }
        }

        void go() {
            super.flush0();
        }
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer buffer) throws Exception {
        RelayLeg to = leg;
        if (to == null) {
            throw new ClosedChannelException();
        }
        while (true) {
            Object message = buffer.current();
            if (message == null) {
                return;
            }
            if (!(message instanceof ByteBuf bytes)) {
                buffer.remove(new UnsupportedOperationException("only bytes pass a relay"));
                continue;
            }
            if (!bytes.isReadable()) {
                buffer.remove();
                continue;
            }
            int length = Math.min(bytes.readableBytes(), to.room());
            if (length == 0) {
                // room() calls again.
                return;
            }
            to.send(ByteString.copyFrom(bytes.nioBuffer(bytes.readerIndex(), length)));
            buffer.removeBytes(length);
        }
    }

    @Override
    protected void doBeginRead() {
        wanted = true;
        deliver();
    }

    @Override
    protected void doClose() {
        open = false;
        active = false;
        RelayLeg mine = leg;
        leg = null;
        if (mine != null) {
            mine.close("closed by its end");
        }
        ByteBuf left;
        while ((left = arrived.poll()) != null) {
            left.release();
        }
        ChannelPromise promise = connecting;
        connecting = null;
        if (promise != null) {
            promise.tryFailure(new ClosedChannelException());
        }
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected void doBind(SocketAddress local) {
        throw new UnsupportedOperationException("a relayed stream has no address of its own");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    protected @Nullable SocketAddress localAddress0() {
        return remote;
    }

    @Override
    protected @Nullable SocketAddress remoteAddress0() {
        return remote;
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
        return open && active;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    /** gRPC sets options of sockets, which mean nothing here. */
    private static final class Config extends DefaultChannelConfig {
        Config(Channel channel) {
            super(channel);
        }

        @Override
        public <T> boolean setOption(ChannelOption<T> option, T value) {
            return super.setOption(option, value) || option == ChannelOption.SO_KEEPALIVE;
        }
    }
}
