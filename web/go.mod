module github.com/tidemark-chat/tidemark/web

go 1.26.0

ignore ./node_modules
