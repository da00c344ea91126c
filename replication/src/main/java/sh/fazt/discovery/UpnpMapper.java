package sh.fazt.discovery;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.jspecify.annotations.Nullable;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * UPnP's Internet Gateway Device (versions 1 and 2): found by SSDP, described in XML, asked by SOAP. Only a device in
 * our own network is believed, and only at its own address. Confined to one thread.
 */
final class UpnpMapper implements PortMapper {
    private static final InetSocketAddress EVERYBODY = new InetSocketAddress("239.255.255.250", 1900);
    private static final String DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
    private static final int SEARCH_MILLIS = 2500;
    private static final int HTTP_MILLIS = 3000;
    private static final int MOST_BYTES = 256 << 10;
    private static final int ONLY_PERMANENT = 725;
    private static final int TAKEN = 718;
    private static final int TRIED_PORTS = 4;

    private final InetAddress own;
    private final InetSocketAddress search;
    private final LongSupplier nanos;
    private @Nullable Service service;

    private record Service(URI control, String type) {}

    /** The router said no by a number of UPnP's. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        private final int code;

        Refused(int code, String message) {
            super(message);
            this.code = code;
        }
    }

    UpnpMapper(InetAddress own, LongSupplier nanos) {
        this(own, EVERYBODY, nanos);
    }

    UpnpMapper(InetAddress own, InetSocketAddress search, LongSupplier nanos) {
        this.own = own;
        this.search = search;
        this.nanos = nanos;
    }

    @Override
    public Mapping map(int port, int wanted, Duration lease) throws MappingException {
        Service found = service == null ? find() : service;
        service = found;
        try {
            InetAddress external = external(found);
            for (int i = 0; ; i++) {
                int outer = i == 0 ? wanted : 1024 + (wanted + i * 1009) % 64512;
                try {
                    return new Mapping("UPnP", external, outer, added(found, port, outer, lease));
                } catch (Refused refused) {
                    if (refused.code != TAKEN || i + 1 == TRIED_PORTS) {
                        throw refused;
                    }
                }
            }
        } catch (Refused | IOException e) {
            service = null;
            throw new MappingException("UPnP: " + e.getMessage(), e);
        }
    }

    private Duration added(Service found, int port, int outer, Duration lease) throws Refused, IOException {
        Map<String, String> arguments = new LinkedHashMap<>();
        arguments.put("NewRemoteHost", "");
        arguments.put("NewExternalPort", Integer.toString(outer));
        arguments.put("NewProtocol", "TCP");
        arguments.put("NewInternalPort", Integer.toString(port));
        arguments.put("NewInternalClient", own.getHostAddress());
        arguments.put("NewEnabled", "1");
        arguments.put("NewPortMappingDescription", "fazt");
        arguments.put("NewLeaseDuration", Long.toString(lease.toSeconds()));
        try {
            call(found, "AddPortMapping", arguments);
            return lease;
        } catch (Refused refused) {
            if (refused.code != ONLY_PERMANENT) {
                throw refused;
            }
            arguments.put("NewLeaseDuration", "0");
            call(found, "AddPortMapping", arguments);
            return Duration.ZERO;
        }
    }

    private InetAddress external(Service found) throws Refused, IOException {
        Document answer = call(found, "GetExternalIPAddress", Map.of());
        String text = text(answer.getDocumentElement(), "NewExternalIPAddress");
        if (!text.matches("[0-9.]{7,15}")) {
            throw new IOException("the router has no address outside" + (text.isEmpty() ? "" : ": " + text));
        }
        return InetAddress.getByName(text);
    }

    @Override
    public void unmap(int port, int external) throws MappingException {
        Service found = service;
        if (found == null) {
            return;
        }
        Map<String, String> arguments = new LinkedHashMap<>();
        arguments.put("NewRemoteHost", "");
        arguments.put("NewExternalPort", Integer.toString(external));
        arguments.put("NewProtocol", "TCP");
        try {
            call(found, "DeletePortMapping", arguments);
        } catch (Refused | IOException e) {
            throw new MappingException("UPnP: " + e.getMessage(), e);
        }
    }

    // ---- finding it ----

    private Service find() throws MappingException {
        String why = "no UPnP router answers";
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(own, 0))) {
            // Bound to our address it would still leave by any interface.
            socket.setOption(StandardSocketOptions.IP_MULTICAST_IF, NetworkInterface.getByInetAddress(own));
            byte[] request =
                    ("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: "
                                    + DEVICE + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII);
            socket.send(new DatagramPacket(request, request.length, search));
            long end = nanos.getAsLong() + TimeUnit.MILLISECONDS.toNanos(SEARCH_MILLIS);
            for (long left = SEARCH_MILLIS; left > 0; left = (end - nanos.getAsLong()) / 1_000_000) {
                socket.setSoTimeout((int) left);
                DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
                socket.receive(packet);
                try {
                    return describe(
                            new String(packet.getData(), 0, packet.getLength(), StandardCharsets.ISO_8859_1),
                            packet.getAddress());
                } catch (IOException e) {
                    why = "UPnP: " + e.getMessage();
                }
            }
        } catch (SocketTimeoutException e) {
            // Whoever wanted to answer has.
            throw new MappingException(why, e);
        } catch (IOException e) {
            throw new MappingException(why + ": " + e.getMessage(), e);
        }
        throw new MappingException(why);
    }

    private static Service describe(String answer, InetAddress from) throws IOException {
        String location = "";
        for (String line : answer.split("\r?\n")) {
            if (line.toLowerCase(Locale.ROOT).startsWith("location:")) {
                location = line.substring(9).strip();
            }
        }
        URI description = checked(location, from);
        Document document = read(description, null, null);
        NodeList services = document.getElementsByTagNameNS("*", "service");
        for (int i = 0; i < services.getLength(); i++) {
            Element one = (Element) services.item(i);
            String type = text(one, "serviceType");
            if (type.matches("urn:schemas-upnp-org:service:WAN(IP|PPP)Connection:[12]")) {
                String base = text(document.getDocumentElement(), "URLBase");
                URI control = (base.isEmpty() ? description : checked(base, from))
                        .resolve(text(one, "controlURL").strip());
                return new Service(checked(control.toString(), from), type);
            }
        }
        throw new IOException("the device at " + location + " forwards no ports");
    }

    /** An HTTP address of who answered and nobody else: we are not sent elsewhere. */
    private static URI checked(String text, InetAddress from) throws IOException {
        try {
            URI uri = URI.create(text);
            if ("http".equals(uri.getScheme()) && from.getHostAddress().equals(uri.getHost())) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw new IOException("the device at " + from.getHostAddress() + " names an address that is not its own");
    }

    // ---- asking it ----

    private Document call(Service found, String action, Map<String, String> arguments) throws Refused, IOException {
        StringBuilder body = new StringBuilder(
                "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\""
                        + " s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:");
        body.append(action).append(" xmlns:u=\"").append(found.type()).append("\">");
        // Numbers and addresses only: nothing to escape.
        arguments.forEach((name, value) -> body.append('<')
                .append(name)
                .append('>')
                .append(value)
                .append("</")
                .append(name)
                .append('>'));
        body.append("</u:").append(action).append("></s:Body></s:Envelope>");
        Document answer = read(found.control(), "\"" + found.type() + "#" + action + "\"", body.toString());
        String code = text(answer.getDocumentElement(), "errorCode");
        if (!code.isEmpty()) {
            throw new Refused(
                    code.matches("[0-9]{1,5}") ? Integer.parseInt(code) : -1,
                    "the router refused " + action + ": " + code + " "
                            + text(answer.getDocumentElement(), "errorDescription"));
        }
        return answer;
    }

    private static Document read(URI from, @Nullable String action, @Nullable String body) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) from.toURL().openConnection(Proxy.NO_PROXY);
        try {
            connection.setConnectTimeout(HTTP_MILLIS);
            connection.setReadTimeout(HTTP_MILLIS);
            connection.setInstanceFollowRedirects(false);
            if (body != null) {
                connection.setDoOutput(true);
                connection.setRequestProperty("Content-Type", "text/xml; charset=\"utf-8\"");
                connection.setRequestProperty("SOAPAction", action);
                try (OutputStream out = connection.getOutputStream()) {
                    out.write(body.getBytes(StandardCharsets.UTF_8));
                }
            }
            int status = connection.getResponseCode();
            InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
            if (stream == null || status != 200 && status != 500) {
                throw new IOException(from + " answered " + status);
            }
            byte[] bytes = stream.readNBytes(MOST_BYTES);
            return parse(bytes);
        } finally {
            connection.disconnect();
        }
    }

    /** Without document types: a router has no business with our files. */
    private static Document parse(byte[] bytes) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            factory.setNamespaceAware(true);
            var builder = factory.newDocumentBuilder();
            // Else the parser prints to stderr.
            builder.setErrorHandler(null);
            return builder.parse(new ByteArrayInputStream(bytes));
        } catch (SAXException e) {
            throw new IOException("the router sent no XML: " + e.getMessage(), e);
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException("this Java can't read XML safely", e);
        }
    }

    private static String text(Element in, String name) {
        NodeList found = in.getElementsByTagNameNS("*", name);
        return found.getLength() == 0 ? "" : found.item(0).getTextContent();
    }
}
