-- Namespace USER: an inventory with composite keys.

CREATE TABLE Inventory.Warehouse (
    Code VARCHAR(6) NOT NULL,
    City VARCHAR(40),
    Opened DATE,
    CONSTRAINT WarehousePK PRIMARY KEY (Code)
);

CREATE TABLE Inventory.Item (
    Sku VARCHAR(12) NOT NULL,
    Name VARCHAR(60) NOT NULL,
    UnitPrice NUMERIC(10, 2),
    Weight DOUBLE %DESCRIPTION 'Kilograms.',
    Discontinued BIT DEFAULT 0,
    CONSTRAINT ItemPK PRIMARY KEY (Sku)
);

CREATE TABLE Inventory.Stock (
    %DESCRIPTION 'How many of each item lie in each warehouse; the key has two columns.',
    Warehouse VARCHAR(6) NOT NULL,
    Sku VARCHAR(12) NOT NULL,
    Quantity INTEGER DEFAULT 0,
    CountedOn DATE,
    CONSTRAINT StockPK PRIMARY KEY (Warehouse, Sku),
    CONSTRAINT StockWarehouse FOREIGN KEY (Warehouse) REFERENCES Inventory.Warehouse (Code) ON UPDATE CASCADE,
    CONSTRAINT StockItem FOREIGN KEY (Sku) REFERENCES Inventory.Item (Sku) ON DELETE CASCADE
);

CREATE TABLE Inventory.Movement (
    %DESCRIPTION 'Every movement refers to a row of Stock by both columns of its key.',
    MovementID IDENTITY,
    Warehouse VARCHAR(6),
    Sku VARCHAR(12),
    Change INTEGER NOT NULL,
    MovedAt TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT MovementStock FOREIGN KEY (Warehouse, Sku) REFERENCES Inventory.Stock (Warehouse, Sku) ON DELETE SET NULL
);
