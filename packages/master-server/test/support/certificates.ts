/** A certificate and its key, PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

// Made once with `openssl req -x509 -newkey ec` for localhost and 127.0.0.1, good for a hundred
// years. They guard nothing: they are here so that tests need no program to make them.

/** Common name first.example. */
export const firstPair: CertificatePair = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBozCCAUmgAwIBAgIUCxFOPXxTfmJ34kvOv/7IbVs6VEIwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNZmlyc3QuZXhhbXBsZTAgFw0yNjExMjMxMTMzMjVaGA8yMTI2
MTAzMDExMzMyNVowGDEWMBQGA1UEAwwNZmlyc3QuZXhhbXBsZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABNpCN0uTRaseXp1e/qPRPo8LSg9uH0D4rjSjtWM0lfBk
4OEK8D61JYz+nV3d1fo7kSEvN5AzkDwZx7YFkb/mkY+jbzBtMB0GA1UdDgQWBBSY
0AO1VfuE14QNN/47Kyoertr7tjAfBgNVHSMEGDAWgBSY0AO1VfuE14QNN/47Kyoe
rtr7tjAPBgNVHRMBAf8EBTADAQH/MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAA
ATAKBggqhkjOPQQDAgNIADBFAiBirAcCwLwvaEEjq6pUQxyYSLdV4UrUsaCG4NdB
MeUokAIhALlukry2VAWZGt/HNz5e2RvZhUyNJg6oVKPMK8Nb+yDe
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9GCDEKKMaABKlzUW
mwH21IFyPi2vAYkA76mI0+Ue9MChRANCAATaQjdLk0WrHl6dXv6j0T6PC0oPbh9A
+K40o7VjNJXwZODhCvA+tSWM/p1d3dX6O5EhLzeQM5A8Gce2BZG/5pGP
-----END PRIVATE KEY-----
`,
};

/** Common name second.example. */
export const secondPair: CertificatePair = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBpTCCAUugAwIBAgIUWi5W4i6Xm/+1tIXGuLBRLdBu9K4wCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOc2Vjb25kLmV4YW1wbGUwIBcNMjYxMTIzMTEzMzI1WhgPMjEy
NjEwMzAxMTMzMjVaMBkxFzAVBgNVBAMMDnNlY29uZC5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEa5PAA3PYD0YK/QphuoYzwcLBkDKMdxjPsrMYRr1v
kWdRssTKnWwjwLks2pJhzG1uOqyolMkEVwaReqwSIQU8ZqNvMG0wHQYDVR0OBBYE
FLY8I691yHnDFXCr8pzWpzYUUiDQMB8GA1UdIwQYMBaAFLY8I691yHnDFXCr8pzW
pzYUUiDQMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/
AAABMAoGCCqGSM49BAMCA0gAMEUCIFNN+eqGNVqQvRHmhfmWxhv8Pjblp0qp30A2
tM39CZhQAiEApHG2K0OaDdj3J0C0nEJkSa8O/4AedU+RSkF6CUIuT2s=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYsBQsufFWzxVay/v
Qe0YvhNyTNtUraq9othM0yDueiihRANCAARrk8ADc9gPRgr9CmG6hjPBwsGQMox3
GM+ysxhGvW+RZ1GyxMqdbCPAuSzakmHMbW46rKiUyQRXBpF6rBIhBTxm
-----END PRIVATE KEY-----
`,
};
