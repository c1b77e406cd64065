// UDP echo service (RFC 862) for the probes of a lab: answers every datagram verbatim, from the address it was sent to.
//
// A node has one address per interface and a loopback that BIRD announces. A plain echo would answer with whatever source
// address the route back happens to prefer, and a probe that checks the sender would count the answer as lost. So the
// destination of each datagram is read (IP_PKTINFO) and used as the source of its answer.
//
// Usage: udp-echo [PORT]   (default 7)

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static unsigned char payload[65536];

int main(int argc, char **argv)
{
    char *end = "";
    long port = argc > 1 ? strtol(argv[1], &end, 10) : 7;
    if (argc > 2 || *end || port < 1 || port > 65535) {
        fprintf(stderr, "usage: udp-echo [PORT]\n");
        return 2;
    }

    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int on = 1, queue = 1 << 20;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    // The receive queue is a wish: a failure to enlarge it is no reason to stop.
    setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
    if (socket_fd < 0 || setsockopt(socket_fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) ||
        bind(socket_fd, (struct sockaddr *)&local, sizeof local)) {
        fprintf(stderr, "udp-echo: cannot listen on port %ld: %s\n", port, strerror(errno));
        return 1;
    }

    for (;;) {
        struct sockaddr_in peer;
        union {
            char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
            struct cmsghdr aligned;
        } control;
        struct iovec data = {.iov_base = payload, .iov_len = sizeof payload};
        struct msghdr message = {
            .msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &data, .msg_iovlen = 1,
            .msg_control = control.bytes, .msg_controllen = sizeof control,
        };

        // An earlier answer's ICMP error (port unreachable) is reported here; it concerns nobody else.
        ssize_t length = recvmsg(socket_fd, &message, 0);
        if (length < 0)
            continue;

        // Keep the address that was asked, let routing choose the interface: the way back may be another NIC.
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
            if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
                struct in_pktinfo info;
                memcpy(&info, CMSG_DATA(c), sizeof info);
                info.ipi_ifindex = 0;
                info.ipi_spec_dst = info.ipi_addr;
                memcpy(CMSG_DATA(c), &info, sizeof info);
            }
        }
        data.iov_len = (size_t)length;
        message.msg_flags = 0;
        // A datagram that cannot be answered (no route just now) is lost, as on any network.
        (void)!sendmsg(socket_fd, &message, 0);
    }
}
