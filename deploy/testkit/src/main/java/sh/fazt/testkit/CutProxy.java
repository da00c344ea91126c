package sh.fazt.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A network cable between two ports of this machine that a test can cut, tear, slow and throttle. A cut way
 * holds its bytes and lets them go when healed, as TCP would after losing every packet for a while.
 * Thread-safe.
 */
public final class CutProxy implements AutoCloseable {
    /** One of the two ways of a connection. */
    public enum Way {
        /** From who dials to who listens. */
        THERE,
        /** From who listens to who dials. */
        BACK
    }

    private static final int CHUNK = 16 << 10;

    private final ServerSocket listening;
    private final int target;
    private final Set<Pipe> pipes = ConcurrentHashMap.newKeySet();
    private final AtomicInteger accepted = new AtomicInteger();
    private final boolean[] cut = new boolean[Way.values().length];
    private long delayNanos;
    private long bytesPerSecond = Long.MAX_VALUE;
    private boolean closed;

    private CutProxy(int target) throws IOException {
        this.target = target;
        this.listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        start("accept", this::accept);
    }

    /** Forwards a free port to that one. */
    public static CutProxy to(int port) {
        try {
            return new CutProxy(port);
        } catch (IOException e) {
            throw new UncheckedIOException("opening a proxy to port " + port, e);
        }
    }

    /** The port to dial. */
    public int port() {
        return listening.getLocalPort();
    }

    /** {@code 127.0.0.1:port}. */
    public String address() {
        return "127.0.0.1:" + port();
    }

    /** Connections that came in so far. */
    public int accepted() {
        return accepted.get();
    }

    /** Connections that stand now. */
    public int open() {
        return pipes.size();
    }

    /** From now on nothing passes in either way, new connections included. */
    public void cut() {
        cut(Way.THERE, Way.BACK);
    }

    /** From now on nothing passes these ways. */
    public synchronized void cut(Way... ways) {
        for (Way way : ways) {
            cut[way.ordinal()] = true;
        }
        notifyAll();
    }

    /** Everything passes again, first what was held. */
    public synchronized void heal() {
        cut[0] = false;
        cut[1] = false;
        notifyAll();
    }

    /** Tears every connection with a reset. */
    public void reset() {
        pipes.forEach(Pipe::reset);
    }

    /** Everything takes that much longer, each way. */
    public synchronized void delay(Duration each) {
        delayNanos = each.toNanos();
    }

    /** So much passes at most, each way of each connection. */
    public synchronized void limit(long bytesEachSecond) {
        bytesPerSecond = bytesEachSecond;
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException("closing the proxy", e);
        } finally {
            reset();
        }
    }

    private void accept() {
        while (true) {
            try {
                Socket near = listening.accept();
                accepted.incrementAndGet();
                Socket far = new Socket();
                try {
                    far.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target), 2000);
                } catch (IOException nobodyListens) {
                    near.setSoLinger(true, 0);
                    near.close();
                    continue;
                }
                near.setTcpNoDelay(true);
                far.setTcpNoDelay(true);
                Pipe pipe = new Pipe(near, far);
                pipes.add(pipe);
                start("there", () -> pump(pipe, near, far, Way.THERE));
                start("back", () -> pump(pipe, far, near, Way.BACK));
            } catch (IOException ended) {
                return;
            }
        }
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, "cut-proxy-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    private void pump(Pipe pipe, Socket from, Socket to, Way way) {
        byte[] buffer = new byte[CHUNK];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            while (true) {
                int read = in.read(buffer, 0, chunk());
                if (!pass(way, Math.max(read, 0))) {
                    return;
                }
                if (read < 0) {
                    to.shutdownOutput();
                    return;
                }
                out.write(buffer, 0, read);
            }
        } catch (IOException | InterruptedException torn) {
            pipe.reset();
        } finally {
            pipe.ended();
        }
    }

    /** Small pieces when throttled, so that the rate is even. */
    private synchronized int chunk() {
        return (int) Math.max(1, Math.min(CHUNK, bytesPerSecond / 20));
    }

    /** Waits as long as these bytes take; false when the proxy is closed. */
    private synchronized boolean pass(Way way, int bytes) throws InterruptedException {
        long takes = delayNanos + (bytesPerSecond == Long.MAX_VALUE ? 0 : bytes * 1_000_000_000L / bytesPerSecond);
        long due = System.nanoTime() + takes;
        while (!closed) {
            long left = due - System.nanoTime();
            if (!cut[way.ordinal()] && left <= 0) {
                return true;
            }
            if (left > 0) {
                wait(left / 1_000_000, (int) (left % 1_000_000));
            } else {
                wait();
            }
        }
        return false;
    }

    private final class Pipe {
        private final Socket near;
        private final Socket far;
        private final AtomicInteger ended = new AtomicInteger();

        Pipe(Socket near, Socket far) {
            this.near = near;
            this.far = far;
        }

        void reset() {
            close(near);
            close(far);
        }

        void ended() {
            if (ended.incrementAndGet() == 2) {
                reset();
                pipes.remove(this);
            }
        }

        private void close(Socket socket) {
            try {
                if (!socket.isClosed()) {
                    socket.setSoLinger(true, 0);
                    socket.close();
                }
            } catch (IOException e) {
                // It is gone, which is what was wanted.
                pipes.remove(this);
            }
        }
    }
}
