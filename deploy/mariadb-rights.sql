-- What the user of smartabsen needs besides its own database: a backup is restored into a database of its own first.
-- compose.yaml runs this when it makes an empty server; elsewhere an administrator of the server runs it once.
GRANT ALL ON `smartabsen\_restore\_%`.* TO 'smartabsen'@'%';
