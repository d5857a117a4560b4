module github.com/tidemark-chat/tidemark/services/gateway

go 1.26.0
