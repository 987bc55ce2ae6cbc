"""Google's own host names in front of the simulator.

Clients that cannot be told another address are told a proxy instead, as they would be in any company's network: they
speak TLS with www.googleapis.com, whose certificate a CA of this test run has signed. Nothing of a client is changed.
"""

import socket
import socketserver
import ssl
import threading
from urllib.parse import urlsplit

import trustme

HOSTS = ["www.googleapis.com", "oauth2.googleapis.com", "accounts.google.com"]


class Front(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, base, folder):
        super().__init__(("127.0.0.1", 0), Tunnel)
        simulator = urlsplit(base)
        self.simulator = (simulator.hostname, simulator.port)
        authority = trustme.CA()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self.tls)
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)

    def environment(self):
        """What makes a client go this way, and trust what it finds there."""
        ca, proxy = str(self.ca_file), "http://127.0.0.1:%d" % self.server_address[1]
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "SSL_CERT_FILE": ca,
            "HTTPLIB2_CA_CERTS": ca,
            "REQUESTS_CA_BUNDLE": ca,
        }


class Tunnel(socketserver.StreamRequestHandler):
    rbufsize = 0  # what follows the head belongs to TLS

    def handle(self):
        host = self.rfile.readline().decode().split()[1].partition(":")[0]
        while self.rfile.readline().strip():
            pass
        if host not in HOSTS:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with (
            self.server.tls.wrap_socket(self.connection, server_side=True) as client,
            socket.create_connection(self.server.simulator) as simulator,
        ):
            answers = threading.Thread(target=pipe, args=(simulator, client), daemon=True)
            answers.start()
            pipe(client, simulator)
            answers.join()


def pipe(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of them hung up
