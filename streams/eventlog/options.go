package eventlog

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/config"
)

// Options are what nats.* says of a connection of a role, for [Connect] with
// cfg.NATS.URL. An error names the setting whose file is of no use. The files are
// read again at each reconnect, so that what they hold can be renewed.
func Options(cfg config.Config, role Role) ([]nats.Option, error) {
	options := []nats.Option{nats.CustomInboxPrefix(role.InboxPrefix())}
	n := cfg.NATS
	if n.Credentials != "" {
		options = append(options, nats.UserCredentials(n.Credentials))
	}
	if n.CA != "" {
		if err := checkCA(n.CA); err != nil {
			return nil, cfg.Invalid("nats.ca", err.Error())
		}
		options = append(options, nats.RootCAs(n.CA))
	}
	switch {
	case n.Cert == "" && n.Key == "":
	case n.Cert == "":
		return nil, cfg.Invalid("nats.key", "it needs nats.cert, the certificate that it is the key of")
	case n.Key == "":
		return nil, cfg.Invalid("nats.cert", "it needs nats.key, its key")
	default:
		if _, err := tls.LoadX509KeyPair(n.Cert, n.Key); err != nil {
			return nil, cfg.Invalid("nats.cert", fmt.Sprintf("it cannot be used with nats.key: %v", err))
		}
		options = append(options, nats.ClientCert(n.Cert, n.Key))
	}
	return options, nil
}

func checkCA(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return nil
}
